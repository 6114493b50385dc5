"""What a finished stage shows in the Prefect UI: tables, pictures and links, one set a stage.

Everything is read from the published files, so that an artifact can only say what is on disk.
"""

import base64
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from sentiment_pipeline import layout
from sentiment_pipeline.report import pictures

Row = dict[str, Any]

_SHOWN = 20  # rows of a long table
_CELL = 120  # characters of a text shown


def publish(stage: str, data_dir: Path) -> None:
    """Create the artifacts of a stage that has just been done."""
    if make := _MAKERS.get(stage):
        make(data_dir)


def ingest(data_dir: Path) -> None:
    rows = [row for name in layout.SOURCES for row in _rejected(data_dir / layout.rejected(name), name)]
    create_table_artifact(
        rows or [{"file": "train, test", "reason": "no line was rejected", "lines": 0}],
        key="rejected-lines",
        description="Lines that are no labelled review, by reason",
    )


def _rejected(path: Path, file: str) -> Iterator[Row]:
    """A row for each reason, with how many lines and the first three."""
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
        examples = " | ".join(raw[:_CELL].decode(errors="replace") for raw in row["examples"])
        yield {
            "file": file,
            "reason": row["reason"],
            "lines": row["lines"],
            "first lines": ", ".join(map(str, row["first"])),
            "examples": examples,
        }


def vocabulary(data_dir: Path) -> None:
    words = pl.read_parquet(data_dir / layout.VOCABULARY, columns=["id", "token", "count"])
    for part, rows in (("head", words.head(_SHOWN)), ("tail", words.tail(_SHOWN))):
        create_table_artifact(
            rows.to_dicts(),
            key=f"vocabulary-{part}",
            description=f"The {part} of the vocabulary of {len(words):,} words",
        )


def encode(data_dir: Path) -> None:
    tokens = {
        split: np.load(data_dir / layout.packed_array(split, "lengths"), mmap_mode="r", allow_pickle=False)
        for split in layout.SPLITS
    }
    create_table_artifact(
        [lengths(*each) for each in tokens.items()], key="review-lengths", description="Tokens of a review"
    )
    show("review-lengths-picture", "How long the reviews are", {"Tokens of a review": pictures.lengths(tokens)})


def lengths(split: str, tokens: np.ndarray) -> Row:
    """How many tokens the reviews of a split have."""
    quantiles = np.quantile(tokens, (0.5, 0.95, 0.99)).round().astype(int) if len(tokens) else np.zeros(3, int)
    return {
        "split": split,
        "reviews": len(tokens),
        "tokens": int(tokens.sum(dtype=np.int64)),
        "median": int(quantiles[0]),
        "95 %": int(quantiles[1]),
        "99 %": int(quantiles[2]),
        "longest": int(tokens.max(initial=0)),
    }


def train(data_dir: Path) -> None:
    lines = (data_dir / layout.HISTORY).read_text().splitlines()
    history = [json.loads(line) for line in lines]
    show(
        "training-curves",
        "How training went; the ring is the best validation",
        {
            "Loss": pictures.curve(history, "loss", min),
            "Accuracy": pictures.curve(history, "accuracy", max, "{x:.1%}"),
            "Reviews a second": pictures.curve(history, "reviews_per_s", form="{x:,.0f}"),
        },
    )


def evaluate(data_dir: Path) -> None:
    metrics = json.loads((data_dir / layout.METRICS).read_text())
    rows = [
        {"part": part, "figure": name.replace("_", " "), "value": rounded(value)}
        for part, figures in metrics.items()
        if isinstance(figures, Mapping)
        for name, value in figures.items()
        if isinstance(value, int | float | str)
    ]
    create_table_artifact(rows, key="metrics", description="Figures of the model and of its making")
    show(
        "confusion-matrix",
        "The test reviews, by class",
        {"Confusion matrix": pictures.confusion(metrics["test"]["confusion"])},
    )
    report = (data_dir / layout.REPORT).resolve()
    create_link_artifact(
        report.as_uri(),
        link_text=str(report),
        key="report",
        description=f"The report: open {report} on the machine that holds the data folder",
    )


def rounded(value: float | str) -> float | str:
    """A figure with as many digits as tell something."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def show(key: str, description: str, figures: Mapping[str, Figure]) -> None:
    """Pictures under their titles, as one artifact that needs no file server: it holds their bytes."""
    parts = [f"## {title}\n\n![{title}](data:image/png;base64,{png(figure)})" for title, figure in figures.items()]
    create_markdown_artifact("\n\n".join(parts), key=key, description=description)


def png(figure: Figure) -> str:
    """The picture's bytes in base 64."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=140)
    return base64.b64encode(picture.getvalue()).decode()


_MAKERS: Mapping[str, Callable[[Path], None]] = {
    "ingest": ingest,
    "vocabulary": vocabulary,
    "encode": encode,
    "train": train,
    "evaluate": evaluate,
}
