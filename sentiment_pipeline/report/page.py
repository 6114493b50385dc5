"""The report: one HTML file with everything in it, which opens anywhere and asks nothing of any network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from sentiment_pipeline.formatting import duration, figure, percent
from sentiment_pipeline.report import pictures
from sentiment_pipeline.report.tables import table
from sentiment_pipeline.report.theme import STYLE, svg

_FEWEST_OF_A_KIND = 5  # right or wrong answers, below which the normal approximation says nothing
TEXT = 600  # characters of a review shown
SPLITS = ("test", "validation")  # parts of the metrics with the same figures


@dataclass(frozen=True)
class Stage:
    """A finished stage: its name, its number of steps, and the seconds that their work took, added up."""

    name: str
    steps: int
    seconds: float


@dataclass(frozen=True)
class Mistake:
    """A review that the model got wrong: its text, its label (0 or 1), and the predicted probability of positive."""

    text: str
    label: int
    probability: float


@dataclass(frozen=True)
class Result:
    """What a report is made of. Parts that are empty are left out of it.

    Attributes:
        name: what was trained, for example the preset.
        metrics: by part (`test`, `validation`, `train`, `prepare`), figures by name, as in `metrics.json`.
        settings: by group, values by name.
        history: the lines of the training history: `step`, `loss`, `accuracy`, `reviews_per_s`, …, and at validations
            `validation_loss` and `validation_accuracy`.
        stages: in order.
        lengths: by split, the number of tokens of each review.
        probabilities: float32 [test reviews], the predicted probability of positive.
        labels: int8 [test reviews], 0 negative, 1 positive.
        rejected: by input file, the number of rejected lines by reason.
        mistakes: the most confident ones first.
    """

    name: str
    metrics: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Mapping[str, Any]]
    history: Sequence[Mapping[str, float]] = ()
    stages: Sequence[Stage] = ()
    lengths: Mapping[str, np.ndarray] = field(default_factory=dict)
    probabilities: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int8))
    rejected: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    mistakes: Sequence[Mistake] = ()


def render(result: Result) -> str:
    """The page as HTML. The same result gives the same bytes."""
    test = result.metrics["test"]
    body = "".join(
        [
            header(result.name, test),
            tiles(result),
            section(
                "Training", "Faint lines are means between two log lines, strong ones are smoothed.", training(result)
            ),
            section("Test", "The reviews of the test file, which was read for these figures alone.", testing(result)),
            section(
                "Most confident mistakes",
                "Wrong, and sure of it: often a label that is itself in doubt.",
                map(mistake, result.mistakes),
            ),
            section("Data", "What was read, and what was left out.", data(result)),
            section(
                "Stages",
                "The time that the work of each took when it was last done, added up over all processes.",
                [card("", stages(result.stages))] if result.stages else [],
            ),
            section("More figures", "All of them are in metrics.json.", more(result.metrics), "columns"),
            section("Settings", "Everything that this result follows from.", settings(result.settings), "columns"),
        ]
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(result.name)}: sentiment-pipeline</title>\n<style>{STYLE}</style>\n"
        f"<main>{body}</main>\n</html>\n"
    )


def section(title: str, note: str, cards: Iterable[str], layout: str = "cards") -> str:
    """A heading over cards; nothing where there are none."""
    inside = "".join(cards)
    if not inside:
        return ""
    return f'<h2>{title}</h2><p class="note">{note}</p><div class="{layout}">{inside}</div>'


def card(title: str, inside: str, note: str = "") -> str:
    caption = f"<figcaption><b>{escape(title)}</b>{escape(note)}</figcaption>" if title else ""
    return f'<figure class="card">{caption}{inside}</figure>'


def header(name: str, test: Mapping[str, Any]) -> str:
    accuracy, reviews = test["accuracy"], test["reviews"]
    note = "So few reviews say little about others."
    if min(accuracy, 1 - accuracy) * reviews >= _FEWEST_OF_A_KIND:
        error = (accuracy * (1 - accuracy) / reviews) ** 0.5
        note = f"The standard error of an accuracy from so many reviews is {100 * error:.2f} points."
    return (
        f'<div class="eyebrow">sentiment-pipeline · {escape(name)}</div>'
        f"<h1>{percent(accuracy, 2)} of {reviews:,} test reviews classified correctly</h1>"
        f'<p class="note">{note}</p>'
    )


def tiles(result: Result) -> str:
    """The handful of figures that people look for first."""
    test, train, prepare = (result.metrics.get(part, {}) for part in ("test", "train", "prepare"))
    candidates = [
        ("test loss", test, "loss", lambda value: f"{value:.4f}"),
        ("F1 of the positive class", test, "f1", lambda value: f"{value:.4f}"),
        ("epochs", train, "epochs", figure),
        ("reviews/s in training", train, "reviews_per_s", figure),
        ("reviews prepared", prepare, "reviews", figure),
        ("lines rejected", prepare, "rejected", figure),
        ("of work to prepare them", prepare, "seconds", duration),
    ]
    shown = [
        f'<div class="tile"><b>{escape(write(part[key]))}</b><span>{name}</span></div>'
        for name, part, key, write in candidates
        if key in part
    ]
    return f'<div class="tiles">{"".join(shown)}</div>'


def training(result: Result) -> Iterable[str]:
    """A picture for each figure that the history holds."""
    history = result.history
    if any("loss" in each for each in history):
        yield card(
            "Loss",
            svg(pictures.curve(history, "loss", min), "Loss over the steps"),
            "mean binary cross-entropy; the ring is the best validation",
        )
    if any("accuracy" in each for each in history):
        yield card(
            "Accuracy",
            svg(pictures.curve(history, "accuracy", max, "{x:.1%}"), "Accuracy over the steps"),
            "share of reviews classified correctly",
        )
    if any("reviews_per_s" in each for each in history):
        yield card(
            "Throughput",
            svg(pictures.curve(history, "reviews_per_s", form="{x:,.0f}"), "Reviews a second over the steps"),
            "reviews a second",
        )
    if any("gradient_norm" in each for each in history):
        yield card(
            "Gradient norm",
            svg(pictures.curve(history, "gradient_norm"), "Gradient norm over the steps"),
            "before clipping",
        )


def testing(result: Result) -> Iterable[str]:
    """The figures of the test set beside those of the validation set, and the pictures of the test set."""
    parts = [part for part in SPLITS if part in result.metrics]
    names = [name for name, value in result.metrics["test"].items() if isinstance(value, int | float)]
    rows = [(name, *(result.metrics[part].get(name, "") for part in parts)) for name in names]
    yield card("Figures", table(rows, ("", *parts), range(1, 3)), "of the best weights")
    if "confusion" in result.metrics["test"]:
        yield card(
            "Confusion matrix",
            svg(pictures.confusion(result.metrics["test"]["confusion"]), "Confusion matrix of the test reviews"),
            "test reviews",
        )
    if len(result.probabilities):
        yield card(
            "Certainty",
            svg(
                pictures.probabilities(result.probabilities, result.labels),
                "Histogram of the predicted probabilities by true class",
            ),
            "reviews by predicted probability; beyond the middle they are misclassified",
        )
        yield card(
            "Calibration",
            svg(
                pictures.calibration(result.probabilities, result.labels),
                "Share really positive by predicted probability",
            ),
            "on the dashed line the probabilities can be taken at their word",
        )


def mistake(wrong: Mistake) -> str:
    name = pictures.CLASSES[wrong.label]
    text = wrong.text if len(wrong.text) <= TEXT else wrong.text[:TEXT] + " …"
    return card(
        "",
        f'<span class="badge {name}">labelled {name}</span> '
        f'<span class="note">· predicted {percent(wrong.probability)} positive</span>'
        f"<blockquote>{escape(text)}</blockquote>",
    )


def data(result: Result) -> Iterable[str]:
    """The lengths of the reviews, and the lines that were rejected."""
    tables = []
    if any(len(each) for each in result.lengths.values()):
        cut = result.settings.get("model", {}).get("length", 0)
        yield card(
            "Lengths",
            svg(pictures.lengths(result.lengths, cut), "Distribution of the lengths of reviews"),
            "tokens of a review, by split",
        )
        tables.append(
            card(
                "Reviews",
                table(
                    map(length_row, result.lengths.items()),
                    ("split", "reviews", "tokens", "mean", "median", "longest"),
                    range(1, 6),
                ),
                "and their tokens",
            )
        )
    rows = [(file, reason, count) for file, reasons in result.rejected.items() for reason, count in reasons.items()]
    if result.rejected:
        tables.append(
            card(
                "Rejected lines",
                table(rows, ("file", "reason", "lines"), (2,)) if rows else "None.",
                "kept in rejected/, with their line numbers",
            )
        )
    if tables:
        yield f'<div class="stack">{"".join(tables)}</div>'


def length_row(split: tuple[str, np.ndarray]) -> tuple[object, ...]:
    name, tokens = split
    if not len(tokens):
        return name, 0, 0, "", "", ""
    return (
        name,
        len(tokens),
        int(tokens.sum(dtype=np.int64)),
        float(round(tokens.mean(), 1)),
        int(np.median(tokens)),
        int(tokens.max()),
    )


def stages(done: Sequence[Stage]) -> str:
    """A row a stage, with a bar for its share of the time."""
    longest = max((stage.seconds for stage in done), default=0) or 1
    rows = "".join(
        f"<tr><td>{escape(stage.name)}</td><td class=number>{stage.steps:,}</td>"
        f"<td class=number>{duration(stage.seconds)}</td>"
        f'<td class=bar><i style="width:{100 * stage.seconds / longest:.1f}%"></i></td></tr>'
        for stage in done
    )
    return f"<table><tr><th>stage</th><th class=number>steps</th><th class=number>time</th><th></th></tr>{rows}</table>"


def more(metrics: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """What the metrics hold beside the figures of the splits."""
    for part, values in metrics.items():
        if part not in SPLITS:
            rows = [
                (name.replace("_", " "), value)
                for name, value in values.items()
                if isinstance(value, int | float | str)
            ]
            yield card(part, table(rows, numbers=(1,)))


def settings(groups: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """A card for each group, with the names that `--set` takes."""
    for group, values in groups.items():
        yield card(group, table(values.items(), numbers=(1,)))
