"""Vocabulary: count each shard's chunks over its training reviews, then order the tokens and give them their ids."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from sentiment_pipeline.prepare.config import SplitConfig, VocabularyConfig
from sentiment_pipeline.prepare.split import TRAIN, splits_of
from sentiment_pipeline.prepare.vocabulary import write_counts, write_vocabulary
from sentiment_pipeline.stages import ingest, tokenize
from sentiment_pipeline.stages.ingest import Part
from sentiment_pipeline.stages.step import Report, Run, Step, outputs_of, upstream
from sentiment_pipeline.storage.files import published
from sentiment_pipeline.storage.manifest import JSON

VERSION = 2
NAME = "vocabulary/ids"
TABLE, CHUNK_IDS = "vocabulary.parquet", "vocabulary/chunk-ids.arrow"
PUBLISHES = ("vocabulary/*/part-*.arrow", TABLE, CHUNK_IDS)


def count_name(part: Part) -> str:
    return f"vocabulary/counts/{part.name}"


def counts_path(part: Part) -> str:
    return f"vocabulary/{part.name}.arrow"


def plan(run: Run) -> Iterator[list[Step]]:
    parts = [part for part in ingest.parts(run) if part.source == "train"]
    yield [count_step(run, part) for part in parts]
    counted = [run.manifest(count_name(part)) for part in parts]
    unions = [run.manifest(name) for name in tokenize.union_names(run)]
    config = run.settings.vocabulary
    yield [Step(
        name=NAME,
        work=make_vocabulary,
        arguments={"config": config, "sizes": tokenize.union_sizes(run),
                   "counts": [counts_path(part) for part in parts]},
        depends={"version": VERSION, "counts": upstream(counted), "tokens": upstream(unions),
                 "vocabulary": asdict(config)},
        outputs=(TABLE, CHUNK_IDS),
        reads=outputs_of([*counted, *unions]),
    )]


def count_step(run: Run, part: Part) -> Step:
    chunks, split = run.manifest(tokenize.shard_name(part)), run.settings.split
    return Step(
        name=count_name(part),
        work=count_shard,
        arguments={"part": part, "distinct": chunks.facts["distinct"], "split": split},
        depends={"version": VERSION, "first": part.first, "chunks": upstream([chunks]), "split": asdict(split)},
        outputs=(counts_path(part),),
        reads=outputs_of([chunks], tokenize.chunks_path(part)),
    )


def count_shard(data_dir: Path, report: Report, *, part: Part, distinct: int, split: SplitConfig) -> Mapping[str, JSON]:
    is_counted = splits_of(split, part.source, part.first, part.reviews, total=0) == TRAIN
    with published(data_dir / counts_path(part)) as output:
        return {**write_counts(data_dir / tokenize.chunks_path(part), distinct, is_counted, output), **part.work}


def make_vocabulary(data_dir: Path, report: Report, *, config: VocabularyConfig, sizes: Sequence[int],
                    counts: Sequence[str]) -> Mapping[str, JSON]:
    with published(data_dir / TABLE) as vocabulary, published(data_dir / CHUNK_IDS) as chunk_ids:
        return write_vocabulary(config, tokenize.open_union(data_dir, sizes),
                                [data_dir / tokenize.tokens_path(part) for part in range(len(sizes))],
                                [data_dir / path for path in counts], vocabulary, chunk_ids)
