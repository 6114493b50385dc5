"""Quality: what is in the reviews, before anything is learned from them; and what is done about it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published, write_text
from sentiment_pipeline.engine.manifest import JSON, Manifest, read
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, content_digest, outputs_of
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
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import tokenize
from sentiment_pipeline.stages.parts import Part, parts, total_name
from sentiment_pipeline.text.tables import map_arrow, to_numpy, write_arrow

__all__ = ["STAGE", "dropped_reviews", "findings", "found_digest"]

_VERSION = 1
_AT_ONCE = 1_000_000  # reviews whose hashes are compared in one step
_FOUND = "quality/found"  # the step that publishes quality.json
_JUDGED = "quality/judged"  # the step that does something about it


def _sketch_name(part: Part) -> str:
    return f"quality/{part.name}"


def dropped_reviews(run: Run[Settings]) -> dict[str, tuple[int, ...]]:
    """The training reviews that the settings drop: rows of the tables of parts, by the parts' names.

    Raises:
        PipelineError: the stage is not finished, or its file is damaged.
    """
    run.manifest(_JUDGED)
    numbers = _read_table(run.data_dir / layout.DROPPED_REVIEWS)["review"].to_numpy()
    return {part.name: tuple(rows.tolist()) for part, rows in _Reviews(parts(run)).rows(numbers)}


def findings(data_dir: Path) -> dict[str, Any] | None:
    """The content of `quality.json`, with the number of training reviews that were `dropped`; None without it."""
    content, judged = _before(data_dir), read(data_dir, _JUDGED)
    return {**content, "dropped": judged.facts["dropped"]} if content and judged else None


def found_digest(run: Run[Settings]) -> str:
    """The SHA-256 of `quality.json`; empty without it, as in a folder that was copied to a GPU machine."""
    found = read(run.data_dir, _FOUND)
    return found.outputs[layout.QUALITY].sha256 if found else ""


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield a step for each shard, steps for ranges of hashes, and two that find and judge.

    `quality/SOURCE/FILE/part-N` depends on the shard's reviews and chunks. It publishes sketches of the reviews.

    `quality/equal/part-N` and `quality/pairs/part-N` depend on the sketches of all shards. They publish the reviews
    that have equal hashes, and pairs of reviews that may be similar.

    `quality/found` depends on these and on the similarity from which reviews are near duplicates. It publishes
    `quality.json`, and which training reviews are duplicates or test reviews.

    `quality/judged` depends on both and on the other settings of the group. It publishes the reviews to drop.
    """
    found = parts(run)
    yield [_sketch_step(run, part) for part in found]
    reviews = _Reviews(found)
    sketches = [run.manifest(_sketch_name(part)) for part in found]
    pieces = range(max(1, -(-reviews.total // _AT_ONCE)))
    depends: dict[str, JSON] = {
        "version": _VERSION,
        "sketches": content_digest(outputs_of(sketches)),
        "trained": reviews.trained,
    }
    yield [
        Step(
            name=f"quality/equal/part-{piece:03d}",
            work=_find_equal,
            arguments={"reviews": reviews, "piece": piece, "pieces": len(pieces)},
            depends={**depends, "piece": piece, "pieces": len(pieces)},
            outputs=(layout.equal_reviews(piece),),
            reads=outputs_of(sketches, *reviews.sketches("exact")),
        )
        for piece in pieces
    ]
    equal = [run.manifest(f"quality/equal/part-{piece:03d}") for piece in pieces]
    yield [
        Step(
            name=f"quality/pairs/part-{piece:03d}",
            work=_find_pairs,
            arguments={"reviews": reviews, "piece": piece, "pieces": len(pieces)},
            depends={**depends, "equal": content_digest(outputs_of(equal)), "piece": piece, "pieces": len(pieces)},
            outputs=(layout.pairs_of_reviews(piece),),
            reads={**outputs_of(sketches, *reviews.sketches("bands")), **outputs_of(equal)},
        )
        for piece in pieces
    ]
    pairs = [run.manifest(f"quality/pairs/part-{piece:03d}") for piece in pieces]
    yield [_found_step(run, reviews, sketches, [*equal, *pairs])]
    yield [_judged_step(run)]


@dataclass(frozen=True)
class _Reviews:
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


def _sketch_step(run: Run[Settings], part: Part) -> Step:
    ingested, tokenized = run.manifest(part.step), run.manifest(tokenize.shard_name(part))
    reads = {**outputs_of([ingested], part.table), **outputs_of([tokenized])}
    return Step(
        name=_sketch_name(part),
        work=_sketch_part,
        arguments={"part": part},
        depends={"version": _VERSION, "shard": content_digest(reads)},
        outputs=tuple(layout.sketches(*part.place, kind) for kind in Outputs._fields),
        reads=reads,
    )


def _found_step(run: Run[Settings], reviews: _Reviews, sketches: Sequence[Manifest], met: Sequence[Manifest]) -> Step:
    chunks = [layout.chunks(*part.place) for part in reviews.parts]
    tokenized = [run.manifest(tokenize.shard_name(part)) for part in reviews.parts]
    inputs = {source: run.manifest(total_name(source)).facts for source in layout.SOURCES}
    near = run.settings.quality.near
    figures = {
        source: {
            "reviews": inputs[source]["reviews"],
            "positive": inputs[source]["positive"],
            **{
                name: np.sum(
                    [run.manifest(_sketch_name(part)).facts[name] for part in reviews.parts if part.source == source], 0
                ).tolist()
                for name in ("short", "lengths", "scripts")
            },
        }
        for source in layout.SOURCES
    }
    return Step(
        name=_FOUND,
        work=_find,
        arguments={"reviews": reviews, "pieces": len(met) // 2, "near": near, "figures": figures},
        depends={
            "version": _VERSION,
            "met": content_digest(outputs_of(met)),
            "sketches": content_digest(outputs_of(sketches)),
            "figures": figures,
            "quality": {"near": near},
        },
        outputs=(layout.QUALITY, layout.FOUND_REVIEWS),
        reads={
            **outputs_of(met),
            **outputs_of(
                sketches, *(path for kind in ("minima", "words", "counts") for path in reviews.sketches(kind))
            ),
            **outputs_of(tokenized, *chunks),
        },
    )


def _judged_step(run: Run[Settings]) -> Step:
    config, found = run.settings.quality, run.manifest(_FOUND)
    return Step(
        name=_JUDGED,
        work=_judge,
        arguments={"config": config},
        depends={"version": _VERSION, "found": content_digest(outputs_of([found])), "quality": asdict(config)},
        outputs=(layout.DROPPED_REVIEWS,),
        reads=outputs_of([found]),
    )


def _sketch_part(data_dir: Path, on_progress: ProgressCallback, *, part: Part) -> Mapping[str, JSON]:
    with ExitStack() as stack:
        outputs = Outputs(
            *(stack.enter_context(published(data_dir / layout.sketches(*part.place, kind))) for kind in Outputs._fields)
        )
        place = data_dir / part.table, data_dir / layout.chunks(*part.place), data_dir / layout.dictionary(*part.place)
        return {**write_sketches(*place, outputs), **part.size}


def _find_equal(
    data_dir: Path, on_progress: ProgressCallback, *, reviews: _Reviews, piece: int, pieces: int
) -> Mapping[str, JSON]:
    batches = hash_range([data_dir / path for path in reviews.sketches("exact")], piece, pieces)
    _write_table(data_dir / layout.equal_reviews(piece), equal_reviews(batches, reviews.offsets, reviews.trained))
    return {}


def _find_pairs(
    data_dir: Path, on_progress: ProgressCallback, *, reviews: _Reviews, piece: int, pieces: int
) -> Mapping[str, JSON]:
    equal = pl.concat([_read_table(data_dir / layout.equal_reviews(each)) for each in range(pieces)])
    repeated = equal.filter("repeats")["review"].to_numpy()
    batches = hash_range([data_dir / path for path in reviews.sketches("bands")], piece, pieces)
    pairs = pairs_of_bands(batches, reviews.offsets, reviews.trained, repeated)
    _write_table(data_dir / layout.pairs_of_reviews(piece), pairs)
    return {"pairs": len(pairs)}


def _find(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    reviews: _Reviews,
    pieces: int,
    near: float,
    figures: Mapping[str, Mapping[str, Any]],
) -> Mapping[str, JSON]:
    equal = pl.concat([_read_table(data_dir / layout.equal_reviews(piece)) for piece in range(pieces)])
    pairs = pl.concat([_read_table(data_dir / layout.pairs_of_reviews(piece)) for piece in range(pieces)])
    found = flagged(equal, _similar(data_dir, reviews, pairs.unique(maintain_order=True), near), reviews.trained)
    unknown = _unknown_words(data_dir, reviews)
    content = quality(found, figures, unknown)
    before = _before(data_dir)
    write_text(data_dir / layout.QUALITY, json.dumps(content, indent=1) + "\n")
    _write_table(data_dir / layout.FOUND_REVIEWS, found.filter("trains"))
    return {"warnings": list(changes(before, content)) if before else []}


def _similar(data_dir: Path, reviews: _Reviews, pairs: pl.DataFrame, near: float) -> pl.DataFrame:
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


def _unknown_words(data_dir: Path, reviews: _Reviews) -> float:
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


def _before(data_dir: Path) -> dict[str, Any] | None:
    """What was found in the last build, if there was one."""
    with suppress(PipelineError):
        record = read(data_dir, _FOUND)
        if record and not record.outputs[layout.QUALITY].damage(data_dir / layout.QUALITY):
            found: dict[str, Any] = json.loads((data_dir / layout.QUALITY).read_bytes())
            return found
    return None


def _judge(data_dir: Path, on_progress: ProgressCallback, *, config: QualityConfig) -> Mapping[str, JSON]:
    content = json.loads((data_dir / layout.QUALITY).read_bytes())
    found = list(faults(content, config))
    if failing := [sentence for name, sentence in found if getattr(config, name) == "fail"]:
        raise PipelineError(f"{'; '.join(failing)}; see {data_dir / layout.QUALITY}, or set quality.* to warn")
    dropping = {name for name, _ in found if getattr(config, name) == "drop"}
    table = _read_table(data_dir / layout.FOUND_REVIEWS)
    gone = dropped(table, dropping).select("review")
    _write_table(data_dir / layout.DROPPED_REVIEWS, gone)
    said = [sentence for name, sentence in found if getattr(config, name) == "warn"]
    said += [f"{counted(len(gone), 'training review')} dropped, as quality.* says"] if len(gone) else []
    return {"dropped": len(gone), "warnings": said}


def _write_table(path: Path, table: pl.DataFrame) -> None:
    with published(path) as output:
        write_arrow(output, [{name: pa.array(table[name].to_numpy()) for name in table.columns}])


def _read_table(path: Path) -> pl.DataFrame:
    with map_arrow(path) as (batch,):
        return pl.DataFrame({name: batch[name].to_numpy(zero_copy_only=False).copy() for name in batch.schema.names})


STAGE = Stage(
    "quality",
    _plan,
    publishes=(
        *(layout.sketches(layout.ANY, layout.ANY, layout.ANY, kind) for kind in Outputs._fields),
        layout.equal_reviews(layout.ANY),
        layout.pairs_of_reviews(layout.ANY),
        layout.QUALITY,
        layout.FOUND_REVIEWS,
        layout.DROPPED_REVIEWS,
    ),
)
