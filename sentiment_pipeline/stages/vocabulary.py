"""Vocabulary: count the chunks in the training reviews of each shard, then order their tokens and assign the ids.

Or take a vocabulary that there is already: the one of the data folder, or that of a model folder. Then nothing is
counted, the ids of all tokens stay, and what is encoded stays as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published, sha256
from sentiment_pipeline.engine.manifest import JSON, read
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, outputs_of, upstream_digest
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.paths import user_path
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import tokenize
from sentiment_pipeline.stages.parts import Part, parts
from sentiment_pipeline.stages.quality import dropped_reviews
from sentiment_pipeline.text.config import FROZEN, VocabularyConfig
from sentiment_pipeline.text.split import SplitRule
from sentiment_pipeline.text.tables import vocabulary_tokens
from sentiment_pipeline.text.vocabulary import SPECIAL_TOKENS, write_counts, write_vocabulary

__all__ = ["NAME", "STAGE"]

_VERSION = 3
NAME = "vocabulary/ids"  # the step that publishes the vocabulary


def _count_name(part: Part) -> str:
    return f"vocabulary/counts/{part.name}"


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield a step for each shard of the training reviews, then one for the vocabulary; only that if it is taken over.

    `vocabulary/counts/train/FILE/part-N` depends on the shard's chunks and on `split`. It reads the chunks, and
    publishes how often each occurs in the reviews that train.

    `vocabulary/ids` depends on all counts, the merged dictionary and `vocabulary`. It reads both, and publishes the
    vocabulary and the token ids of each chunk. Or it depends on the vocabulary that is taken over, and publishes it.
    """
    if not run.settings.vocabulary.is_counted:
        yield [_take_over_step(run)]
        return
    trained, dropped = parts(run, "train"), dropped_reviews(run)
    yield [_count_step(run, part, dropped.get(part.name, ())) for part in trained]
    counted = [run.manifest(_count_name(part)) for part in trained]
    merged = [run.manifest(name) for name in tokenize.merged_names(run)]
    config = run.settings.vocabulary
    yield [
        Step(
            name=NAME,
            work=_make_vocabulary,
            arguments={
                "config": config,
                "sizes": tokenize.merged_sizes(run),
                "counts": [layout.chunk_counts(*part.place) for part in trained],
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


def _count_step(run: Run[Settings], part: Part, dropped: tuple[int, ...]) -> Step:
    chunks, split = run.manifest(tokenize.shard_name(part)), run.settings.split
    path, rule = layout.chunks(*part.place), SplitRule(split, part.source, dropped=dropped)
    return Step(
        name=_count_name(part),
        work=_count_shard,
        arguments={"part": part, "distinct": chunks.facts["distinct"], "rule": rule},
        depends={
            "version": _VERSION,
            "chunks": chunks.outputs[path].sha256,
            "split": asdict(split),
            "dropped": rule.dropped_digest,
        },
        outputs=(layout.chunk_counts(*part.place),),
        reads=outputs_of([chunks], path),
    )


def _take_over_step(run: Run[Settings]) -> Step:
    """The step that publishes the vocabulary of this folder anew, or that of a model folder."""
    config: VocabularyConfig = run.settings.vocabulary
    if config.source == FROZEN:
        if (counted := read(run.data_dir, NAME)) is None:
            raise PipelineError(
                f"{run.data_dir} has no vocabulary yet that could be frozen; set vocabulary.source to counted for its "
                "first run, or to a model folder"
            )
        origin, digest = run.data_dir / layout.VOCABULARY, counted.outputs[layout.VOCABULARY].sha256
    else:
        origin = user_path(config.source) / layout.MODEL_VOCABULARY
        if not origin.is_file():
            raise PipelineError(
                f"{origin} is missing; vocabulary.source is counted, frozen, or the path of a model folder"
            )
        digest = sha256(origin)
    return Step(
        name=NAME,
        work=_take_over,
        arguments={"origin": origin, "digest": digest},
        depends={
            "version": _VERSION,
            "taken": digest,
            "vocabulary": {"source": config.source, "unknown": config.unknown},
        },
        outputs=(layout.VOCABULARY,),
    )


def _count_shard(
    data_dir: Path, on_progress: ProgressCallback, *, part: Part, distinct: int, rule: SplitRule
) -> Mapping[str, JSON]:
    with published(data_dir / layout.chunk_counts(*part.place)) as output:
        return {**write_counts(data_dir / layout.chunks(*part.place), distinct, rule.of, output), **part.size}


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


def _take_over(data_dir: Path, on_progress: ProgressCallback, *, origin: Path, digest: str) -> Mapping[str, JSON]:
    with published(data_dir / layout.VOCABULARY) as vocabulary:
        vocabulary.write_bytes(origin.read_bytes() if origin.is_file() else b"")
        if sha256(vocabulary) != digest:
            raise PipelineError(
                f"{origin} is missing or damaged, and a frozen vocabulary cannot be counted again; set "
                "vocabulary.source to a model folder that has it, or to counted"
            )
        tokens = vocabulary_tokens(vocabulary)
    if tokens[: len(SPECIAL_TOKENS)].to_pylist() != list(SPECIAL_TOKENS):
        raise PipelineError(f"{origin} is not a vocabulary of this program; give another model folder")
    return {"size": len(tokens)}


STAGE = Stage(
    "vocabulary",
    _plan,
    publishes=(layout.chunk_counts(layout.ANY, layout.ANY, layout.ANY), layout.VOCABULARY, layout.CHUNK_IDS),
)
