"""Encode: each shard's reviews to ids, split by split, then each split to the arrays that training maps."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np

from sentiment_pipeline.prepare.config import SplitConfig
from sentiment_pipeline.prepare.encode import write_encoded
from sentiment_pipeline.prepare.pack import ARRAYS, write_packed
from sentiment_pipeline.prepare.split import SPLITS, splits_of
from sentiment_pipeline.stages import ingest, tokenize, vocabulary
from sentiment_pipeline.stages.ingest import Part
from sentiment_pipeline.stages.step import Report, Run, Step, outputs_of, upstream
from sentiment_pipeline.storage.files import published
from sentiment_pipeline.storage.manifest import JSON, Manifest

VERSION = 2


def part_name(part: Part) -> str:
    return f"encode/{part.name}"


def pack_name(split: str) -> str:
    return f"encode/packed/{split}"


def packed_path(split: str, array: str) -> str:
    return f"packed/{split}/{array}.npy"


PUBLISHES = ("shards/*/part-*.parquet", *(packed_path(split, array) for split in SPLITS for array in ARRAYS))


def demand_prepared(run: Run) -> None:
    """Refuse settings of the prepare half other than those that the training files were made with.

    Raises:
        PipelineError: a value differs; names it.
    """
    settings = run.settings
    first = Part("train", 0, 0, 0, 0)
    run.demand_same(ingest.part_name("train", 0), ingest=asdict(settings.ingest), cleaning=asdict(settings.cleaning))
    for source in ingest.SOURCES:
        run.demand_same(ingest.total_name(source), ingest=asdict(settings.ingest))
    run.demand_same(vocabulary.NAME, vocabulary=asdict(settings.vocabulary))
    run.demand_same(part_name(first), split=asdict(settings.split))


def plan(run: Run) -> Iterator[list[Step]]:
    parts = ingest.parts(run)
    totals = {source: sum(part.reviews for part in parts if part.source == source) for source in ingest.SOURCES}
    shards = shards_of(parts, run.settings.split, totals)
    tables = [run.manifest(name) for name in (*tokenize.union_names(run), vocabulary.NAME)]
    sizes = tokenize.union_sizes(run)
    yield [part_step(run, number, part, shards[part], totals[part.source], sizes, tables)
           for number, part in enumerate(parts)]
    yield [pack_step(run, split, {part: paths[split] for part, paths in shards.items() if split in paths})
           for split in SPLITS]


def shards_of(parts: Sequence[Part], split: SplitConfig, totals: Mapping[str, int]) -> dict[Part, dict[str, str]]:
    """The shards that each part's reviews go to, by split; those of a split are numbered in the order of the parts."""
    shards, count = dict[Part, dict[str, str]](), dict.fromkeys(SPLITS, 0)
    for part in parts:
        drawn = np.unique(splits_of(split, part.source, part.first, part.reviews, totals[part.source]))
        shards[part] = {}
        for name in (SPLITS[each] for each in drawn):
            shards[part][name] = f"shards/{name}/part-{count[name]:05d}.parquet"
            count[name] += 1
    return shards


def part_step(run: Run, number: int, part: Part, shards: Mapping[str, str], total: int, sizes: Sequence[int],
              tables: Sequence[Manifest]) -> Step:
    own = [run.manifest(name) for name in (ingest.part_name(part.source, part.index), tokenize.shard_name(part))]
    split = run.settings.split
    return Step(
        name=part_name(part),
        work=encode_part,
        arguments={"part": part, "number": number, "sizes": sizes, "split": split, "total": total, "shards": shards},
        depends={"version": VERSION, "first": part.first, "reviews": part.reviews, "total": total,
                 "split": asdict(split), "shard": upstream(own), "vocabulary": upstream(tables)},
        outputs=tuple(shards.values()),
        reads=outputs_of([*own, *tables], part.table, tokenize.chunks_path(part), vocabulary.CHUNK_IDS,
                         *map(tokenize.rows_path, range(len(sizes)))),
    )


def encode_part(data_dir: Path, report: Report, *, part: Part, number: int, sizes: Sequence[int], split: SplitConfig,
                total: int, shards: Mapping[str, str]) -> Mapping[str, JSON]:
    splits = splits_of(split, part.source, part.first, part.reviews, total)
    rows = tokenize.open_union(data_dir, sizes).of_shard(number)
    with ExitStack() as stack:
        outputs = {name: stack.enter_context(published(data_dir / path)) for name, path in shards.items()}
        counts = write_encoded(data_dir / part.table, data_dir / tokenize.chunks_path(part), rows,
                               data_dir / vocabulary.CHUNK_IDS, splits, outputs)
    return {**counts, **part.work}


def pack_step(run: Run, split: str, shards: Mapping[Part, str]) -> Step:
    encoded = [run.manifest(part_name(part)) for part in shards]
    return Step(
        name=pack_name(split),
        work=pack_split,
        arguments={
            "split": split,
            "shards": list(shards.values()),
            "reviews": sum(each.facts[split]["reviews"] for each in encoded),
            "tokens": sum(each.facts[split]["tokens"] for each in encoded),
            "vocabulary": run.manifest(vocabulary.NAME).facts["size"],
        },
        depends={"version": VERSION, "shards": upstream(encoded)},
        outputs=tuple(packed_path(split, array) for array in ARRAYS),
        reads=outputs_of(encoded, *shards.values()),
    )


def pack_split(data_dir: Path, report: Report, *, split: str, shards: Sequence[str], reviews: int, tokens: int,
               vocabulary: int) -> Mapping[str, JSON]:
    with ExitStack() as stack:
        outputs = {array: stack.enter_context(published(data_dir / packed_path(split, array))) for array in ARRAYS}
        write_packed([data_dir / path for path in shards], reviews, tokens, vocabulary, outputs)
    return {"reviews": reviews, "tokens": tokens}
