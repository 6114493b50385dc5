"""Vocabulary: count the chunks in the training reviews of each shard, then order their tokens and assign the ids."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.manifest import JSON
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, outputs_of, upstream_digest
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import ingest, tokenize
from sentiment_pipeline.stages.ingest import Part
from sentiment_pipeline.text.config import SplitConfig, VocabularyConfig
from sentiment_pipeline.text.split import TRAIN, splits_of
from sentiment_pipeline.text.vocabulary import write_counts, write_vocabulary

__all__ = ["NAME", "STAGE"]

_VERSION = 2
NAME = "vocabulary/ids"  # the step that assigns the ids


def _count_name(part: Part) -> str:
    return f"vocabulary/counts/{part.name}"


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield a step for each shard of the training file, then one for the vocabulary.

    `vocabulary/counts/train/part-N` depends on the shard's chunks and on `split`. It reads the chunks, and publishes
    how often each occurs in the reviews that train.

    `vocabulary/ids` depends on all counts, the merged dictionary and `vocabulary`. It reads both, and publishes the
    vocabulary and the token ids of each chunk.
    """
    parts = [part for part in ingest.parts(run) if part.source == "train"]
    yield [_count_step(run, part) for part in parts]
    counted = [run.manifest(_count_name(part)) for part in parts]
    merged = [run.manifest(name) for name in tokenize.merged_names(run)]
    config = run.settings.vocabulary
    yield [
        Step(
            name=NAME,
            work=_make_vocabulary,
            arguments={
                "config": config,
                "sizes": tokenize.merged_sizes(run),
                "counts": [layout.chunk_counts(part.source, part.index) for part in parts],
            },
            depends={
                "version": _VERSION,
                "counts": upstream_digest(counted),
                "tokens": upstream_digest(merged),
                "vocabulary": asdict(config),
            },
            outputs=(layout.VOCABULARY, layout.CHUNK_IDS),
            reads=outputs_of([*counted, *merged]),
        )
    ]


def _count_step(run: Run[Settings], part: Part) -> Step:
    chunks, split = run.manifest(tokenize.shard_name(part)), run.settings.split
    return Step(
        name=_count_name(part),
        work=_count_shard,
        arguments={"part": part, "distinct": chunks.facts["distinct"], "split": split},
        depends={"version": _VERSION, "first": part.first, "chunks": upstream_digest([chunks]), "split": asdict(split)},
        outputs=(layout.chunk_counts(part.source, part.index),),
        reads=outputs_of([chunks], layout.chunks(part.source, part.index)),
    )


def _count_shard(
    data_dir: Path, on_progress: ProgressCallback, *, part: Part, distinct: int, split: SplitConfig
) -> Mapping[str, JSON]:
    is_counted = splits_of(split, part.source, part.first, part.reviews, total=0) == TRAIN
    with published(data_dir / layout.chunk_counts(part.source, part.index)) as output:
        return {
            **write_counts(data_dir / layout.chunks(part.source, part.index), distinct, is_counted, output),
            **part.size,
        }


def _make_vocabulary(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    config: VocabularyConfig,
    sizes: Sequence[int],
    counts: Sequence[str],
) -> Mapping[str, JSON]:
    with published(data_dir / layout.VOCABULARY) as vocabulary, published(data_dir / layout.CHUNK_IDS) as chunk_ids:
        return write_vocabulary(
            config,
            tokenize.open_merged(data_dir, sizes),
            [data_dir / layout.merged_tokens(part) for part in range(len(sizes))],
            [data_dir / path for path in counts],
            vocabulary,
            chunk_ids,
        )


STAGE = Stage(
    "vocabulary", _plan, publishes=(layout.chunk_counts(layout.ANY, layout.ANY), layout.VOCABULARY, layout.CHUNK_IDS)
)
