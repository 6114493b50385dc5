"""Encode: turn the reviews of each shard into ids, then pack each split into the arrays that training maps."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.manifest import JSON, Manifest, recorded_steps
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, outputs_of, upstream_digest
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import ingest, tokenize, vocabulary
from sentiment_pipeline.stages.ingest import Part
from sentiment_pipeline.text.config import SplitConfig
from sentiment_pipeline.text.encode import write_encoded
from sentiment_pipeline.text.pack import write_packed
from sentiment_pipeline.text.split import splits_of

__all__ = ["STAGE", "pack_name", "part_name", "require_prepared"]

_VERSION = 2


def part_name(part: Part) -> str:
    """The step that encodes the reviews of one byte range."""
    return f"encode/{part.name}"


def pack_name(split: str) -> str:
    """The step that packs a split."""
    return f"encode/packed/{split}"


def require_prepared(run: Run[Settings]) -> None:
    """Require that the training files were made with the present settings.

    Raises:
        PipelineError: a value differs; names it.
    """
    settings = run.settings
    ingest.require_ingested(run)
    run.require_same(vocabulary.NAME, vocabulary=asdict(settings.vocabulary))
    for step in recorded_steps(run.data_dir, f"{STAGE.name}/train")[:1]:
        run.require_same(step, split=asdict(settings.split))


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield a step for each shard, then a step for each split.

    `encode/SOURCE/part-N` depends on the shard's reviews and chunks, its position in the file, `split`, the merged
    dictionary and the vocabulary. It reads the reviews, the chunks, the rows of the merged dictionary and the ids of
    the chunks, and publishes a shard of encoded reviews for each split that its reviews belong to.

    `encode/packed/SPLIT` depends on the encoded shards of the split. It reads them and publishes the arrays.
    """
    parts = ingest.parts(run)
    totals = {source: sum(part.reviews for part in parts if part.source == source) for source in layout.SOURCES}
    shards = _shards_of(parts, run.settings.split, totals)
    tables = [run.manifest(name) for name in (*tokenize.merged_names(run), vocabulary.NAME)]
    sizes = tokenize.merged_sizes(run)
    yield [
        _part_step(run, number, part, shards[part], totals[part.source], sizes, tables)
        for number, part in enumerate(parts)
    ]
    yield [
        _pack_step(run, split, {part: paths[split] for part, paths in shards.items() if split in paths})
        for split in layout.SPLITS
    ]


def _shards_of(parts: Sequence[Part], split: SplitConfig, totals: Mapping[str, int]) -> dict[Part, dict[str, str]]:
    """The paths of the shards that each part is encoded to, by split, numbered in the order of the parts."""
    shards, count = dict[Part, dict[str, str]](), dict.fromkeys(layout.SPLITS, 0)
    for part in parts:
        present = np.unique(splits_of(split, part.source, part.first, part.reviews, totals[part.source]))
        shards[part] = {}
        for name in (layout.SPLITS[each] for each in present):
            shards[part][name] = layout.shard(name, count[name])
            count[name] += 1
    return shards


def _part_step(
    run: Run[Settings],
    number: int,
    part: Part,
    shards: Mapping[str, str],
    total: int,
    sizes: Sequence[int],
    tables: Sequence[Manifest],
) -> Step:
    own = [run.manifest(name) for name in (part.step, tokenize.shard_name(part))]
    split = run.settings.split
    return Step(
        name=part_name(part),
        work=_encode_part,
        arguments={"part": part, "number": number, "sizes": sizes, "split": split, "total": total, "shards": shards},
        depends={
            "version": _VERSION,
            "first": part.first,
            "reviews": part.reviews,
            "total": total,
            "split": asdict(split),
            "shard": upstream_digest(own),
            "vocabulary": upstream_digest(tables),
        },
        outputs=tuple(shards.values()),
        reads=outputs_of(
            [*own, *tables],
            part.table,
            layout.chunks(part.source, part.index),
            layout.CHUNK_IDS,
            *map(layout.merged_rows, range(len(sizes))),
        ),
    )


def _encode_part(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    part: Part,
    number: int,
    sizes: Sequence[int],
    split: SplitConfig,
    total: int,
    shards: Mapping[str, str],
) -> Mapping[str, JSON]:
    splits = splits_of(split, part.source, part.first, part.reviews, total)
    rows = tokenize.open_merged(data_dir, sizes).of_shard(number)
    with ExitStack() as stack:
        outputs = {name: stack.enter_context(published(data_dir / path)) for name, path in shards.items()}
        counts = write_encoded(
            data_dir / part.table,
            data_dir / layout.chunks(part.source, part.index),
            rows,
            data_dir / layout.CHUNK_IDS,
            splits,
            outputs,
        )
    return {**counts, **part.size}


def _pack_step(run: Run[Settings], split: str, shards: Mapping[Part, str]) -> Step:
    encoded = [run.manifest(part_name(part)) for part in shards]
    return Step(
        name=pack_name(split),
        work=_pack_split,
        arguments={
            "split": split,
            "shards": list(shards.values()),
            "reviews": sum(each.facts[split]["reviews"] for each in encoded),
            "tokens": sum(each.facts[split]["tokens"] for each in encoded),
            "vocabulary": run.manifest(vocabulary.NAME).facts["size"],
        },
        depends={"version": _VERSION, "shards": upstream_digest(encoded)},
        outputs=tuple(layout.packed_array(split, array) for array in layout.PACKED_ARRAYS),
        reads=outputs_of(encoded, *shards.values()),
    )


def _pack_split(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    split: str,
    shards: Sequence[str],
    reviews: int,
    tokens: int,
    vocabulary: int,
) -> Mapping[str, JSON]:
    with ExitStack() as stack:
        outputs = {
            array: stack.enter_context(published(data_dir / layout.packed_array(split, array)))
            for array in layout.PACKED_ARRAYS
        }
        write_packed([data_dir / path for path in shards], reviews, tokens, vocabulary, outputs)
    return {"reviews": reviews, "tokens": tokens}


STAGE = Stage("encode", _plan, publishes=(layout.shard(layout.ANY, layout.ANY), *layout.packed_arrays()))
