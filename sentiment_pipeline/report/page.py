"""The report: one HTML file that contains everything it shows, and loads nothing from a network."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup
from matplotlib.figure import Figure

from sentiment_pipeline.chance import standard_error
from sentiment_pipeline.formatting import duration, figure
from sentiment_pipeline.quality.findings import findings_rows
from sentiment_pipeline.report import pictures
from sentiment_pipeline.report.curves import curves
from sentiment_pipeline.report.lengths import length_summary
from sentiment_pipeline.report.result import Result
from sentiment_pipeline.report.template import fill_template
from sentiment_pipeline.report.theme import COLOURS, svg

__all__ = ["render"]

_FEWEST_OF_A_KIND = 5  # right or wrong answers, below which the normal approximation says nothing
_SPLITS = ("test", "validation")  # parts of the metrics that have the same figures
_TILES = (  # the figures that people look for first: part, name, format, label
    ("test", "loss", figure, "test loss"),
    ("test", "f1", figure, "F1 of the positive class"),
    ("train", "epochs", figure, "epochs"),
    ("train", "reviews_per_s", figure, "reviews/s in training"),
    ("prepare", "reviews", figure, "reviews prepared"),
    ("prepare", "rejected", figure, "lines rejected"),
    ("prepare", "seconds", duration, "of work to prepare them"),
)


class _Picture(NamedTuple):
    """A picture of the page with its caption."""

    title: str
    note: str
    svg: Markup


def render(result: Result) -> str:
    """The page as HTML. The same result gives the same bytes."""
    metrics = result.metrics
    lengths = {split: length_summary(tokens) for split, tokens in result.lengths.items()}
    return fill_template(
        "page.html",
        result=result,
        colours=COLOURS,
        classes=pictures.CLASSES,
        standard_error=_standard_error(metrics["test"]),
        tiles=[
            (write(metrics[part][name]), label) for part, name, write, label in _TILES if name in metrics.get(part, {})
        ],
        curves=[
            _picture(title, note, drawn, f"{title} over the steps") for title, note, drawn in curves(result.history)
        ],
        test_head=("", *_splits(metrics)),
        test_rows=_test_rows(metrics),
        test_pictures=list(_test_pictures(result)),
        lengths_picture=_lengths_picture(result),
        length_head=("split", *next(iter(lengths.values()), ())),
        length_rows=[(split, *summary.values()) for split, summary in lengths.items()],
        quality_rows=findings_rows(metrics["quality"]) if "quality" in metrics else [],
        rejected=[(file, *counts) for file, reasons in result.rejected.items() for counts in reasons.items()],
        other_figures={part: _scalars(values) for part, values in metrics.items() if part not in (*_SPLITS, "quality")},
    )


def _picture(title: str, note: str, drawn: Figure, description: str) -> _Picture:
    return _Picture(title, note, Markup(svg(drawn, description)))


def _standard_error(test: Mapping[str, Any]) -> float | None:
    """The standard error of the test accuracy; None where too few answers are right, or wrong, to estimate it."""
    accuracy, reviews = test["accuracy"], test["reviews"]  # without reviews, there is no accuracy
    if accuracy is None or min(accuracy, 1 - accuracy) * reviews < _FEWEST_OF_A_KIND:
        return None
    return standard_error(accuracy, reviews)


def _splits(metrics: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [split for split in _SPLITS if split in metrics]


def _test_rows(metrics: Mapping[str, Mapping[str, Any]]) -> list[tuple[object, ...]]:
    """The name of each test figure, and its value in each split."""
    return [
        (name, *(metrics[split].get(name) for split in _splits(metrics)))
        for name, value in metrics["test"].items()
        if isinstance(value, int | float | None)
    ]


def _test_pictures(result: Result) -> Iterator[_Picture]:
    """What the model predicts for the test reviews."""
    probability, label = result.probabilities, result.labels
    if "confusion" in result.metrics["test"]:
        drawn = pictures.confusion(result.metrics["test"]["confusion"])
        yield _picture("Confusion matrix", "test reviews", drawn, "Confusion matrix of the test reviews")
    if len(probability):
        yield _picture(
            "Predicted probabilities",
            "of the test reviews; those on the wrong side of 0.5 are misclassified",
            pictures.probabilities(probability, label),
            "Histogram of the predicted probabilities by true class",
        )
        yield _picture(
            "Calibration",
            "on the dashed line, predicted probabilities agree with what is observed",
            pictures.calibration(probability, label),
            "Fraction of positive reviews by predicted probability",
        )


def _lengths_picture(result: Result) -> _Picture | None:
    """The distribution of lengths; None without reviews."""
    if not any(len(tokens) for tokens in result.lengths.values()):
        return None
    drawn = pictures.lengths(result.lengths, result.settings.get("model", {}).get("length", 0))
    return _picture("Lengths", "tokens of a review, by split", drawn, "Distribution of the lengths of reviews")


def _scalars(values: Mapping[str, Any]) -> list[tuple[str, object]]:
    """The figures that fit into a table, with names for people."""
    return [(name.replace("_", " "), value) for name, value in values.items() if isinstance(value, int | float | str)]
