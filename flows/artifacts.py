"""What a finished stage shows in the Prefect UI: tables, pictures and links.

Everything is read from the published files, so an artifact shows what is on disk. What draws is imported where it
draws, because matplotlib takes a second and most processes of a run draw nothing.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from sentiment_pipeline import layout
from sentiment_pipeline.formatting import counted, figure
from sentiment_pipeline.quality.findings import findings_rows
from sentiment_pipeline.report.lengths import length_summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["publish"]

_ROWS = 20  # shown of a long table
_CHARACTERS = 120  # shown of a text


def publish(stage: str, data_dir: Path) -> None:
    """Create the artifacts of a finished stage.

    Args:
        stage: its name; a stage without artifacts is fine.
        data_dir: the data folder that holds what it published.
    """
    if show := _ARTIFACTS.get(stage):
        show(data_dir)


def _show_ingest(data_dir: Path) -> None:
    rows = [row for source in layout.SOURCES for row in _rejected_lines(data_dir / layout.rejected(source), source)]
    create_table_artifact(
        rows or [{"file": ", ".join(layout.SOURCES), "reason": "no line was rejected", "lines": 0}],
        key="rejected-lines",
        description="Lines that are not labelled reviews, by reason",
    )


def _rejected_lines(path: Path, source: str) -> Iterator[dict[str, Any]]:
    """A row for each reason, with the number of its lines and the first three of them."""
    reasons = (
        pl.scan_parquet(path)
        .group_by("reason")
        .agg(
            pl.len().alias("lines"),
            pl.col("line").sort().head(3).alias("first"),
            pl.col("raw").sort_by("line").head(3).alias("examples"),
        )
    )
    for row in reasons.sort("lines", descending=True).collect().iter_rows(named=True):
        yield {
            "file": source,
            "reason": row["reason"],
            "lines": row["lines"],
            "first lines": ", ".join(map(str, row["first"])),
            "examples": " | ".join(raw[:_CHARACTERS].decode(errors="replace") for raw in row["examples"]),
        }


def _show_quality(data_dir: Path) -> None:
    rows = findings_rows(json.loads((data_dir / layout.QUALITY).read_text()))
    create_table_artifact(
        [{"reviews": name, "train": train, "test": test} for name, train, test in rows],
        key="data-quality",
        description="Duplicates, test reviews among the training reviews, contradictory labels, and more",
    )


def _show_vocabulary(data_dir: Path) -> None:
    words = pl.read_parquet(data_dir / layout.VOCABULARY, columns=["id", "token", "count"])
    size = counted(len(words), "word")
    for part, rows in (("head", words.head(_ROWS)), ("tail", words.tail(_ROWS))):
        create_table_artifact(
            rows.to_dicts(), key=f"vocabulary-{part}", description=f"The {part} of the vocabulary of {size}"
        )


def _show_encode(data_dir: Path) -> None:
    from sentiment_pipeline.report import pictures

    lengths = {
        split: np.load(data_dir / layout.packed_array(split, "lengths"), mmap_mode="r", allow_pickle=False)
        for split in layout.SPLITS
    }
    rows = [{"split": split, **length_summary(tokens)} for split, tokens in lengths.items()]
    create_table_artifact(rows, key="review-lengths", description="Tokens per review")
    drawn = ("Lengths", "tokens per review, by split", pictures.lengths(lengths))
    _show_pictures("review-lengths-picture", "Distribution of review lengths", [drawn])


def _show_train(data_dir: Path) -> None:
    from sentiment_pipeline.report.curves import curves

    lines = (data_dir / layout.HISTORY).read_text().splitlines()
    _show_pictures("training-curves", "Figures of the training", curves([json.loads(line) for line in lines]))


def _show_evaluate(data_dir: Path) -> None:
    from sentiment_pipeline.report import pictures

    metrics = json.loads((data_dir / layout.METRICS).read_text())
    rows = [
        {"part": part, "figure": name.replace("_", " "), "value": figure(value, name)}
        for part, figures in metrics.items()
        if isinstance(figures, Mapping)
        for name, value in figures.items()
        if value is None or isinstance(value, int | float | str)
    ]
    create_table_artifact(rows, key="metrics", description="Figures of the model and of the run that made it")
    drawn = ("Confusion matrix", "test reviews", pictures.confusion(metrics["test"]["confusion"]))
    _show_pictures("confusion-matrix", "Test reviews by true and predicted class", [drawn])
    report = (data_dir / layout.REPORT).resolve()
    create_link_artifact(
        report.as_uri(),
        link_text=str(report),
        key="report",
        description=f"The report: open {report} on the machine that holds the data folder",
    )


def _show_pictures(key: str, description: str, drawn: "Iterable[tuple[str, str, Figure]]") -> None:
    """Create one artifact of pictures, which contains their bytes, so it needs no file server.

    Args:
        drawn: for each picture its title, a note and the figure.
    """
    from sentiment_pipeline.report.theme import png

    parts = [
        f"## {title}\n\n{note}\n\n![{title}](data:image/png;base64,{base64.b64encode(png(picture)).decode()})"
        for title, note, picture in drawn
    ]
    create_markdown_artifact("\n\n".join(parts), key=key, description=description)


_ARTIFACTS: Mapping[str, Callable[[Path], None]] = {
    "ingest": _show_ingest,
    "quality": _show_quality,
    "vocabulary": _show_vocabulary,
    "encode": _show_encode,
    "train": _show_train,
    "evaluate": _show_evaluate,
}
