"""Tokenize: split each shard's reviews into chunks, then tokenize each distinct chunk of all shards once, in parts.

How the merged dictionary is divided follows from the shards, not from the workers, so its files are the same
everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.manifest import JSON
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, outputs_of, upstream_digest
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import ingest
from sentiment_pipeline.stages.ingest import Part
from sentiment_pipeline.text import tokenizer
from sentiment_pipeline.text.dictionary import MergedDictionary, write_merged, write_shard

__all__ = ["STAGE", "merged_names", "merged_sizes", "open_merged", "shard_name"]

_VERSION = 2
_ROWS_A_PAIR = 1_500_000


def shard_name(part: Part) -> str:
    return f"tokenize/{part.name}"


def merged_names(run: Run[Settings]) -> list[str]:
    """The steps that tokenize the merged dictionary, in order; the shards' steps must be finished."""
    rows = sum(run.manifest(shard_name(part)).facts["distinct"] for part in ingest.parts(run))
    return [f"tokenize/merged/part-{part:03d}" for part in range(2 * -(-rows // _ROWS_A_PAIR))]


def merged_sizes(run: Run[Settings]) -> list[int]:
    """How many distinct chunks each part of the merged dictionary has; the stage must be finished."""
    return [run.manifest(name).facts["chunks"] for name in merged_names(run)]


def open_merged(data_dir: Path, sizes: Sequence[int]) -> MergedDictionary:
    return MergedDictionary([data_dir / layout.merged_rows(part) for part in range(len(sizes))], sizes)


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    parts = ingest.parts(run)
    yield [_shard_step(run, part) for part in parts]
    shards = [run.manifest(shard_name(part)) for part in parts]
    dictionaries = [layout.dictionary(part.source, part.index) for part in parts]
    names = merged_names(run)
    yield [
        Step(
            name=name,
            work=_tokenize_merged,
            arguments={"dictionaries": dictionaries, "part": number, "parts": len(names)},
            depends={
                "version": _VERSION,
                "tokenizer": tokenizer.VERSION,
                "part": number,
                "parts": len(names),
                "shards": upstream_digest(shards),
            },
            outputs=(layout.merged_tokens(number), layout.merged_rows(number)),
            reads=outputs_of(shards, *dictionaries),
        )
        for number, name in enumerate(names)
    ]


def _shard_step(run: Run[Settings], part: Part) -> Step:
    reviews = run.manifest(ingest.part_name(part.source, part.index))
    return Step(
        name=shard_name(part),
        work=_split_shard,
        arguments={"part": part},
        depends={
            "version": _VERSION,
            "tokenizer": tokenizer.VERSION,
            "reviews": part.reviews,
            "part": upstream_digest([reviews]),
        },
        outputs=(layout.chunks(part.source, part.index), layout.dictionary(part.source, part.index)),
        reads=outputs_of([reviews], part.table),
    )


def _split_shard(data_dir: Path, on_progress: ProgressCallback, *, part: Part) -> Mapping[str, JSON]:
    with (
        published(data_dir / layout.chunks(part.source, part.index)) as chunks,
        published(data_dir / layout.dictionary(part.source, part.index)) as dictionary,
    ):
        return {**write_shard(data_dir / part.table, part.reviews, chunks, dictionary), **part.work}


def _tokenize_merged(
    data_dir: Path, on_progress: ProgressCallback, *, dictionaries: Sequence[str], part: int, parts: int
) -> Mapping[str, JSON]:
    paths = [data_dir / path for path in dictionaries]
    with (
        published(data_dir / layout.merged_tokens(part)) as tokens,
        published(data_dir / layout.merged_rows(part)) as rows,
    ):
        return write_merged(paths, part, parts, tokens, rows)


STAGE = Stage(
    "tokenize",
    _plan,
    publishes=(
        layout.chunks(layout.ANY, layout.ANY),
        layout.dictionary(layout.ANY, layout.ANY),
        layout.merged_rows(layout.ANY),
        layout.merged_tokens(layout.ANY),
    ),
)
