"""Encode: turn the reviews of each shard into ids, then pack each split into the arrays that training maps."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.manifest import JSON, recorded_steps
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, content_digest, outputs_of, upstream_digest
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import ingest, tokenize, vocabulary
from sentiment_pipeline.stages.parts import Part, parts
from sentiment_pipeline.stages.quality import dropped_reviews
from sentiment_pipeline.text import tokenizer
from sentiment_pipeline.text.encode import ids_of_dictionary, ids_of_merged, write_encoded
from sentiment_pipeline.text.pack import write_packed
from sentiment_pipeline.text.split import SplitRule

__all__ = ["STAGE", "pack_name", "part_name", "require_prepared"]

_VERSION = 3


def part_name(part: Part) -> str:
    """The step that encodes the reviews of a part."""
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

    `encode/SOURCE/FILE/part-N` depends on the shard's reviews and chunks, the tokenizer's version, `split`, and the
    vocabulary; not on how the ids are found. It reads the reviews and the chunks, and, if the vocabulary was counted
    here, the rows of the merged dictionary and the ids of its chunks, else the dictionary and the vocabulary. It
    publishes a shard of encoded reviews for each split that its reviews may belong to.

    `encode/packed/SPLIT` depends on the encoded shards of the split. It reads them and publishes the arrays.
    """
    found, settings = parts(run), run.settings
    totals = {source: sum(part.reviews for part in found if part.source == source) for source in layout.SOURCES}
    dropped = dropped_reviews(run)
    rules = {
        part: SplitRule(settings.split, part.source, part.first, totals[part.source], dropped.get(part.name, ()))
        for part in found
    }
    shards = _shards_of(rules)
    sizes = tokenize.merged_sizes(run) if settings.vocabulary.is_counted else None
    yield [_part_step(run, number, part, rules[part], shards[part], sizes) for number, part in enumerate(found)]
    yield [
        _pack_step(run, split, {part: paths[split] for part, paths in shards.items() if split in paths})
        for split in layout.SPLITS
    ]


def _shards_of(rules: Mapping[Part, SplitRule]) -> dict[Part, dict[str, str]]:
    """The paths of the shards that each part is encoded to, by split, numbered in the order of the parts."""
    shards, count = dict[Part, dict[str, str]](), dict.fromkeys(layout.SPLITS, 0)
    for part, rule in rules.items():
        shards[part] = {}
        for name in rule.possible(part.reviews):
            shards[part][name] = layout.shard(name, count[name])
            count[name] += 1
    return shards


def _part_step(
    run: Run[Settings], number: int, part: Part, rule: SplitRule, shards: Mapping[str, str], sizes: Sequence[int] | None
) -> Step:
    """The step over one shard; `sizes` are those of the merged dictionary, if the ids of chunks are found there."""
    ingested, tokenized, words = (
        run.manifest(name) for name in (part.step, tokenize.shard_name(part), vocabulary.NAME)
    )
    reads = {
        **outputs_of([ingested], part.table),
        **outputs_of([tokenized], layout.chunks(*part.place)),
    }
    if sizes is None:
        reads |= {**outputs_of([tokenized]), **outputs_of([words], layout.VOCABULARY)}
    else:
        merged = [run.manifest(name) for name in tokenize.merged_names(run)]
        reads |= outputs_of([*merged, words], layout.CHUNK_IDS, *map(layout.merged_rows, range(len(sizes))))
    positions = {"first": rule.first, "total": rule.total} if rule.depends_on_position else {}
    unknown = run.settings.vocabulary.unknown
    return Step(
        name=part_name(part),
        work=_encode_part,
        arguments={
            "part": part, "number": number, "rule": rule, "shards": shards, "sizes": sizes, "unknown": unknown
        },
        depends={
            "version": _VERSION,
            "reviews": part.reviews,
            "shard": content_digest(outputs_of([ingested, tokenized])),
            "tokenizer": tokenizer.VERSION,
            "split": {**asdict(run.settings.split), **positions},
            "dropped": rule.dropped_digest,
            "vocabulary": {"sha256": words.outputs[layout.VOCABULARY].sha256, "unknown": unknown},
        },
        outputs=tuple(shards.values()),
        reads=reads,
    )  # fmt: skip


def _encode_part(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    part: Part,
    number: int,
    rule: SplitRule,
    shards: Mapping[str, str],
    sizes: Sequence[int] | None,
    unknown: str,
) -> Mapping[str, JSON]:
    if sizes is None:
        words = data_dir / layout.VOCABULARY
        chunk_ids = ids_of_dictionary(data_dir / layout.dictionary(*part.place), words, unknown)
    else:
        rows = tokenize.open_merged(data_dir, sizes).of_shard(number)
        chunk_ids = ids_of_merged(rows, data_dir / layout.CHUNK_IDS)
    with ExitStack() as stack:
        outputs = {name: stack.enter_context(published(data_dir / path)) for name, path in shards.items()}
        counts = write_encoded(
            data_dir / part.table, data_dir / layout.chunks(*part.place), chunk_ids, rule.of, outputs
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
