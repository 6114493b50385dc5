"""Tokenize: split the reviews of each shard into chunks, then tokenize each distinct chunk of all shards once.

The distinct chunks of all shards are the merged dictionary. The number of its parts depends on the shards alone, not on
the number of workers, so its files are the same on every machine.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.manifest import JSON
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, outputs_of, upstream_digest
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages.parts import Part, parts
from sentiment_pipeline.text import tokenizer
from sentiment_pipeline.text.dictionary import MergedDictionary, write_merged, write_shard

__all__ = ["STAGE", "merged_names", "merged_sizes", "open_merged", "shard_name"]

_VERSION = 4
_ROWS_PER_PAIR = 1_500_000  # of the shards' dictionaries, for two parts of the merged one


def shard_name(part: Part) -> str:
    """The step that splits the reviews of one byte range into chunks."""
    return f"tokenize/{part.name}"


def merged_names(run: Run[Settings]) -> list[str]:
    """The steps that tokenize the parts of the merged dictionary, in order.

    Raises:
        PipelineError: the steps of the shards are not finished.
    """
    rows = sum(run.manifest(shard_name(part)).facts["distinct"] for part in parts(run))
    return [f"tokenize/merged/part-{part:03d}" for part in range(2 * -(-rows // _ROWS_PER_PAIR))]


def merged_sizes(run: Run[Settings]) -> list[int]:
    """The number of distinct chunks in each part of the merged dictionary.

    Raises:
        PipelineError: the stage is not finished.
    """
    return [run.manifest(name).facts["chunks"] for name in merged_names(run)]


def open_merged(data_dir: Path, sizes: Sequence[int]) -> MergedDictionary:
    """The merged dictionary, whose parts have so many chunks."""
    return MergedDictionary([data_dir / layout.merged_rows(part) for part in range(len(sizes))], sizes)


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield a step for each shard, then, if the vocabulary is counted, a step for each part of the merged dictionary.

    `tokenize/SOURCE/FILE/part-N` depends on the range's reviews, the number of them that count and the tokenizer's
    version. It reads these reviews, and publishes them as codes of their chunks, with the dictionary of chunks.

    `tokenize/merged/part-N` depends on all shards and the tokenizer's version. It reads the dictionaries of all shards,
    and publishes the tokens of the distinct chunks whose hash is in its range, and for each dictionary which rows these
    are.
    """
    found = parts(run)
    yield [_shard_step(run, part) for part in found]
    if not run.settings.vocabulary.is_counted:
        return
    shards = [run.manifest(shard_name(part)) for part in found]
    dictionaries = [layout.dictionary(*part.place) for part in found]
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
    reviews = run.manifest(part.step)
    return Step(
        name=shard_name(part),
        work=_split_shard,
        arguments={"part": part},
        depends={
            "version": _VERSION,
            "tokenizer": tokenizer.VERSION,
            "reviews": part.reviews,
            "table": reviews.outputs[part.table].sha256,
        },
        outputs=(layout.chunks(*part.place), layout.dictionary(*part.place)),
        reads=outputs_of([reviews], part.table),
    )


def _split_shard(data_dir: Path, on_progress: ProgressCallback, *, part: Part) -> Mapping[str, JSON]:
    with (
        published(data_dir / layout.chunks(*part.place)) as chunks,
        published(data_dir / layout.dictionary(*part.place)) as dictionary,
    ):
        return {**write_shard(data_dir / part.table, part.reviews, chunks, dictionary), **part.size}


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
        layout.chunks(layout.ANY, layout.ANY, layout.ANY),
        layout.dictionary(layout.ANY, layout.ANY, layout.ANY),
        layout.merged_rows(layout.ANY),
        layout.merged_tokens(layout.ANY),
    ),
)
