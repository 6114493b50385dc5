"""The work of the steps of the stage `quality`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published, write_text
from sentiment_pipeline.engine.manifest import JSON, read
from sentiment_pipeline.engine.step import ProgressCallback
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.formatting import counted
from sentiment_pipeline.quality.config import QualityConfig
from sentiment_pipeline.quality.findings import changes, dropped, faults, quality
from sentiment_pipeline.quality.groups import equal_reviews, flagged, maybe_similar, pairs_of_bands, similar_pairs
from sentiment_pipeline.quality.shard import (
    Outputs,
    hash_range,
    read_minima,
    read_words,
    words_of_reviews,
    write_sketches,
)
from sentiment_pipeline.quality.sketch import MINIMA
from sentiment_pipeline.stages.parts import Part
from sentiment_pipeline.text.tables import map_arrow, to_numpy, write_arrow

__all__ = [
    "FOUND",
    "Reviews",
    "find",
    "find_equal",
    "find_pairs",
    "judge",
    "last_findings",
    "read_table",
    "sketch_part",
]

FOUND = "quality/found"  # the step that publishes quality.json


@dataclass(frozen=True)
class Reviews:
    """The reviews of all parts, numbered in their order; those that train come first."""

    parts: Sequence[Part]

    @property
    def trained(self) -> int:
        """Number of training reviews."""
        return sum(part.reviews for part in self.parts if part.source == "train")

    @property
    def total(self) -> int:
        """Number of reviews."""
        return sum(part.reviews for part in self.parts)

    @property
    def offsets(self) -> list[int]:
        """The number of the first review of each part."""
        return [*accumulate((part.reviews for part in self.parts[:-1]), initial=0)]

    def sketches(self, kind: str) -> list[str]:
        """The path of a file of each part's sketches, relative to the data folder."""
        return [layout.sketches(*part.place, kind) for part in self.parts]

    def rows(self, numbers: np.ndarray) -> Iterator[tuple[Part, np.ndarray]]:
        """Yield the parts of reviews, and their rows there, for numbers in rising order."""
        for part, first in zip(self.parts, self.offsets, strict=True):
            low, high = np.searchsorted(numbers, (first, first + part.reviews))
            if high > low:
                yield part, numbers[low:high] - first


def sketch_part(data_dir: Path, on_progress: ProgressCallback, *, part: Part) -> Mapping[str, JSON]:
    """Sketch the reviews of a part."""
    with ExitStack() as stack:
        outputs = Outputs(
            *(stack.enter_context(published(data_dir / layout.sketches(*part.place, kind))) for kind in Outputs._fields)
        )
        place = data_dir / part.table, data_dir / layout.chunks(*part.place), data_dir / layout.dictionary(*part.place)
        return {**write_sketches(*place, outputs), **part.size}


def find_equal(
    data_dir: Path, on_progress: ProgressCallback, *, reviews: Reviews, piece: int, pieces: int
) -> Mapping[str, JSON]:
    """Find the reviews that have equal hashes, in one range of hashes."""
    batches = hash_range([data_dir / path for path in reviews.sketches("exact")], piece, pieces)
    _write_table(data_dir / layout.equal_reviews(piece), equal_reviews(batches, reviews.offsets, reviews.trained))
    return {}


def find_pairs(
    data_dir: Path, on_progress: ProgressCallback, *, reviews: Reviews, piece: int, pieces: int
) -> Mapping[str, JSON]:
    """Find pairs of reviews that may be similar, in one range of hashes."""
    equal = pl.concat([read_table(data_dir / layout.equal_reviews(each)) for each in range(pieces)])
    repeated = equal.filter("repeats")["review"].to_numpy()
    batches = hash_range([data_dir / path for path in reviews.sketches("bands")], piece, pieces)
    pairs = pairs_of_bands(batches, reviews.offsets, reviews.trained, repeated)
    _write_table(data_dir / layout.pairs_of_reviews(piece), pairs)
    return {"pairs": len(pairs)}


def find(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    reviews: Reviews,
    pieces: int,
    near: float,
    figures: Mapping[str, Mapping[str, Any]],
) -> Mapping[str, JSON]:
    """Publish `quality.json`, and the training reviews that are duplicates, contradictory, or test reviews."""
    equal = pl.concat([read_table(data_dir / layout.equal_reviews(piece)) for piece in range(pieces)])
    pairs = pl.concat([read_table(data_dir / layout.pairs_of_reviews(piece)) for piece in range(pieces)])
    found = flagged(equal, _similar(data_dir, reviews, pairs.unique(maintain_order=True), near), reviews.trained)
    unknown = _unknown_words(data_dir, reviews)
    content = quality(found, figures, unknown)
    before = last_findings(data_dir)
    write_text(data_dir / layout.QUALITY, json.dumps(content, indent=1) + "\n")
    _write_table(data_dir / layout.FOUND_REVIEWS, found.filter("trains"))
    return {"warnings": list(changes(before, content)) if before else []}


def _similar(data_dir: Path, reviews: Reviews, pairs: pl.DataFrame, near: float) -> pl.DataFrame:
    """The pairs that are similar."""
    numbers = np.unique(np.concatenate([pairs["review"].to_numpy(), pairs["other"].to_numpy()]))
    minima = [
        read_minima(data_dir / layout.sketches(*part.place, "minima"), rows) for part, rows in reviews.rows(numbers)
    ]
    one, other = (
        np.concatenate([np.empty((0, MINIMA), np.uint8), *minima])[np.searchsorted(numbers, pairs[name].to_numpy())]
        for name in ("review", "other")
    )
    pairs = pairs.filter(pl.Series(maybe_similar(one, other, near), dtype=pl.Boolean))

    def words(numbers: np.ndarray) -> list[np.ndarray]:
        return [
            each
            for part, rows in reviews.rows(numbers)
            for each in words_of_reviews(
                data_dir / layout.chunks(*part.place),
                read_words(data_dir / layout.sketches(*part.place, "words")),
                rows,
            )
        ]

    return pairs.filter(pl.Series(similar_pairs(pairs, words, near), dtype=pl.Boolean))


def _unknown_words(data_dir: Path, reviews: Reviews) -> float:
    """The fraction of the test reviews' words that no training review has."""
    known, counts = list[np.ndarray](), list[tuple[np.ndarray, np.ndarray]]()
    for part in reviews.parts:
        with map_arrow(data_dir / layout.sketches(*part.place, "counts")) as (batch,):
            words, count = to_numpy(batch["word"]).copy(), to_numpy(batch["count"]).copy()
        known += [words] if part.source == "train" else []
        counts += [(words, count)] if part.source == "test" else []
    trained = np.unique(np.concatenate(known))
    total = sum(int(count.sum()) for _, count in counts)
    unknown = sum(int(count[~np.isin(words, trained, kind="sort")].sum()) for words, count in counts)
    return round(unknown / max(1, total), 6)


def last_findings(data_dir: Path) -> dict[str, Any] | None:
    """What was found in the last build, if there was one."""
    with suppress(PipelineError):
        record = read(data_dir, FOUND)
        if record and not record.outputs[layout.QUALITY].damage(data_dir / layout.QUALITY):
            found: dict[str, Any] = json.loads((data_dir / layout.QUALITY).read_bytes())
            return found
    return None


def judge(data_dir: Path, on_progress: ProgressCallback, *, config: QualityConfig) -> Mapping[str, JSON]:
    """Publish the reviews to drop, and say what is to be said.

    Raises:
        PipelineError: a fault for which the settings say `fail`.
    """
    content = json.loads((data_dir / layout.QUALITY).read_bytes())
    found = list(faults(content, config))
    if failing := [sentence for name, sentence in found if getattr(config, name) == "fail"]:
        raise PipelineError(f"{'; '.join(failing)}; see {data_dir / layout.QUALITY}, or set quality.* to warn")
    dropping = {name for name, _ in found if getattr(config, name) == "drop"}
    table = read_table(data_dir / layout.FOUND_REVIEWS)
    gone = dropped(table, dropping).select("review")
    _write_table(data_dir / layout.DROPPED_REVIEWS, gone)
    said = [sentence for name, sentence in found if getattr(config, name) == "warn"]
    said += [f"{counted(len(gone), 'training review')} dropped, as quality.* says"] if len(gone) else []
    return {"dropped": len(gone), "warnings": said}


def _write_table(path: Path, table: pl.DataFrame) -> None:
    with published(path) as output:
        write_arrow(output, [{name: pa.array(table[name].to_numpy()) for name in table.columns}])


def read_table(path: Path) -> pl.DataFrame:
    """A table of this stage, copied out of its file."""
    with map_arrow(path) as (batch,):
        return pl.DataFrame({name: batch[name].to_numpy(zero_copy_only=False).copy() for name in batch.schema.names})
