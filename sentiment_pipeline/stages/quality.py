"""Quality: what is in the reviews, before anything is learned from them; and what is done about it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from sentiment_pipeline import layout
from sentiment_pipeline.engine.manifest import JSON, Manifest, read
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import Step, content_digest, outputs_of
from sentiment_pipeline.quality.shard import (
    Outputs,
)
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import tokenize
from sentiment_pipeline.stages.parts import Part, parts, total_name
from sentiment_pipeline.stages.quality_work import (
    FOUND,
    Reviews,
    find,
    find_equal,
    find_pairs,
    judge,
    last_findings,
    read_table,
    sketch_part,
)

__all__ = ["STAGE", "dropped_reviews", "findings", "found_digest"]

_VERSION = 1
_AT_ONCE = 1_000_000  # reviews whose hashes are compared in one step
_JUDGED = "quality/judged"  # the step that does something about it


def _sketch_name(part: Part) -> str:
    return f"quality/{part.name}"


def dropped_reviews(run: Run[Settings]) -> dict[str, tuple[int, ...]]:
    """The training reviews that the settings drop: rows of the tables of parts, by the parts' names.

    Raises:
        PipelineError: the stage is not finished, or its file is damaged.
    """
    run.manifest(_JUDGED)
    numbers = read_table(run.data_dir / layout.DROPPED_REVIEWS)["review"].to_numpy()
    return {part.name: tuple(rows.tolist()) for part, rows in Reviews(parts(run)).rows(numbers)}


def findings(data_dir: Path) -> dict[str, Any] | None:
    """The content of `quality.json`, with the number of training reviews that were `dropped`; None without it."""
    content, judged = last_findings(data_dir), read(data_dir, _JUDGED)
    return {**content, "dropped": judged.facts["dropped"]} if content and judged else None


def found_digest(run: Run[Settings]) -> str:
    """The SHA-256 of `quality.json`; empty without it, as in a folder that was copied to a GPU machine."""
    found = read(run.data_dir, FOUND)
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
    reviews = Reviews(found)
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
            work=find_equal,
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
            work=find_pairs,
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


def _sketch_step(run: Run[Settings], part: Part) -> Step:
    ingested, tokenized = run.manifest(part.step), run.manifest(tokenize.shard_name(part))
    reads = {**outputs_of([ingested], part.table), **outputs_of([tokenized])}
    return Step(
        name=_sketch_name(part),
        work=sketch_part,
        arguments={"part": part},
        depends={"version": _VERSION, "shard": content_digest(reads)},
        outputs=tuple(layout.sketches(*part.place, kind) for kind in Outputs._fields),
        reads=reads,
    )


def _found_step(run: Run[Settings], reviews: Reviews, sketches: Sequence[Manifest], met: Sequence[Manifest]) -> Step:
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
        name=FOUND,
        work=find,
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
    config, found = run.settings.quality, run.manifest(FOUND)
    return Step(
        name=_JUDGED,
        work=judge,
        arguments={"config": config},
        depends={"version": _VERSION, "found": content_digest(outputs_of([found])), "quality": asdict(config)},
        outputs=(layout.DROPPED_REVIEWS,),
        reads=outputs_of([found]),
    )


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
