"""Tokenize: cut each shard's reviews into chunks, then tokenize each distinct chunk of all shards once, in parts.

The union is cut by what the shards found, not by who works on it, so its files are the same everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sentiment_pipeline.prepare import tokenizer
from sentiment_pipeline.prepare.dictionary import Union, write_shard, write_union
from sentiment_pipeline.stages import ingest
from sentiment_pipeline.stages.ingest import Part
from sentiment_pipeline.stages.step import Report, Run, Step, outputs_of, upstream
from sentiment_pipeline.storage.files import published
from sentiment_pipeline.storage.manifest import JSON

VERSION = 2
PUBLISHES = ("tokens/*/part-*.arrow", "tokens/union/rows-*.arrow", "tokens/union/tokens-*.arrow")
ROWS_A_PAIR = 1_500_000


def chunks_path(part: Part) -> str:
    return f"tokens/{part.name}.chunks.arrow"


def dictionary_path(part: Part) -> str:
    return f"tokens/{part.name}.dictionary.arrow"


def shard_name(part: Part) -> str:
    return f"tokenize/{part.name}"


def union_names(run: Run) -> list[str]:
    """The steps that tokenize the union, in order; the shards' steps must be finished."""
    rows = sum(run.manifest(shard_name(part)).facts["distinct"] for part in ingest.parts(run))
    return [f"tokenize/union/part-{part:03d}" for part in range(2 * -(-rows // ROWS_A_PAIR))]


def union_sizes(run: Run) -> list[int]:
    """How many distinct chunks each part of the union has; the stage must be finished."""
    return [run.manifest(name).facts["chunks"] for name in union_names(run)]


def open_union(data_dir: Path, sizes: Sequence[int]) -> Union:
    return Union([data_dir / rows_path(part) for part in range(len(sizes))], sizes)


def tokens_path(part: int) -> str:
    return f"tokens/union/tokens-{part:03d}.arrow"


def rows_path(part: int) -> str:
    return f"tokens/union/rows-{part:03d}.arrow"


def plan(run: Run) -> Iterator[list[Step]]:
    parts = ingest.parts(run)
    yield [shard_step(run, part) for part in parts]
    shards = [run.manifest(shard_name(part)) for part in parts]
    names = union_names(run)
    yield [Step(
        name=name,
        work=tokenize_union,
        arguments={"dictionaries": [dictionary_path(part) for part in parts], "part": number, "parts": len(names)},
        depends={"version": VERSION, "tokenizer": tokenizer.VERSION, "part": number, "parts": len(names),
                 "shards": upstream(shards)},
        outputs=(tokens_path(number), rows_path(number)),
        reads=outputs_of(shards, *map(dictionary_path, parts)),
    ) for number, name in enumerate(names)]


def shard_step(run: Run, part: Part) -> Step:
    reviews = run.manifest(ingest.part_name(part.source, part.index))
    return Step(
        name=shard_name(part),
        work=cut_shard,
        arguments={"part": part},
        depends={"version": VERSION, "tokenizer": tokenizer.VERSION, "reviews": part.reviews,
                 "part": upstream([reviews])},
        outputs=(chunks_path(part), dictionary_path(part)),
        reads=outputs_of([reviews], part.table),
    )


def cut_shard(data_dir: Path, report: Report, *, part: Part) -> Mapping[str, JSON]:
    with (published(data_dir / chunks_path(part)) as chunks,
          published(data_dir / dictionary_path(part)) as dictionary):
        return {**write_shard(data_dir / part.table, part.reviews, chunks, dictionary), **part.work}


def tokenize_union(data_dir: Path, report: Report, *, dictionaries: Sequence[str], part: int,
                   parts: int) -> Mapping[str, JSON]:
    paths = [data_dir / path for path in dictionaries]
    with published(data_dir / tokens_path(part)) as tokens, published(data_dir / rows_path(part)) as rows:
        return write_union(paths, part, parts, tokens, rows)
