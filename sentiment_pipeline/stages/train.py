"""Train: packed ids in, the best weights and the history of the training out.

Training is one long step; a killed one resumes from its checkpoints. They lie in a folder named by the step's
fingerprint, so that a training never resumes from the weights of other settings. The last two checkpoints are kept
after training, so that damaged weights can be restored without training again.

What needs torch is imported where training begins: torch takes seconds, and planning, `status` and `verify` do without.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment_pipeline import layout
from sentiment_pipeline.data.packed import first_reviews
from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.manifest import JSON, fingerprint
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, upstream_digest
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.settings import ExecutionConfig, Settings
from sentiment_pipeline.stages import encode, vocabulary
from sentiment_pipeline.stages.lineage import versions
from sentiment_pipeline.stages.start import identity_of, start_of
from sentiment_pipeline.training.checkpoint_files import damaged_checkpoints, discard_damaged_checkpoints
from sentiment_pipeline.training.config import RuntimeConfig, TrainingConfig
from sentiment_pipeline.training.word_vectors import digest, locate

if TYPE_CHECKING:
    from sentiment_pipeline.training.job import Job
    from sentiment_pipeline.training.launch import Processes

__all__ = ["NAME", "STAGE", "make_job", "processes_of", "training_config", "training_step"]

_VERSION = 1
NAME = "train"


def training_step(run: Run[Settings]) -> Step:
    """The one step of the stage.

    `train` depends on the packed splits `train` and `validation`, on `model` and `training`, and on the content of the
    file of word vectors. It reads the packed splits, and the vocabulary with word vectors; they are checked here, when
    the step is planned, because training may run without the stages before it. It publishes the best weights and the
    history.

    Raises:
        PipelineError: the folder is not prepared, was prepared with other settings, or holds damaged packed files.
        SettingsError: the word vectors are not found.
    """
    settings, training = run.settings, training_config(run)
    encode.require_prepared(run)
    start = start_of(run)
    vectors = locate(settings.training.vectors) if training.vectors else None
    if vectors:
        run.intact_manifest(vocabulary.NAME, layout.VOCABULARY)
    packed = [run.intact_manifest(encode.pack_name(split)) for split in ("train", "validation")]
    depends: dict[str, JSON] = {
        "version": _VERSION,
        "packed": upstream_digest(packed),
        "model": asdict(settings.model),
        "training": asdict(training),
    }
    arguments = {
        "model": settings.model,
        "training": training,
        "vectors": vectors,
        "runtime": settings.runtime,
        "execution": settings.execution,
        "vocabulary_size": run.manifest(vocabulary.NAME).facts["size"],
        "identity": fingerprint(depends),
        "start": start.weights if start else None,
        "old_reviews": start.old_reviews if start else 0,
    }
    return Step(NAME, _train, arguments, depends, (layout.WEIGHTS, layout.HISTORY))


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield `training_step`."""
    yield [training_step(run)]


def _check(run: Run[Settings]) -> None:
    """Fail before hours of preparing if this machine cannot train with these settings.

    Raises:
        SettingsError: the device or number format is not available.
    """
    precision, device = run.settings.training.precision, run.settings.runtime.device
    if precision == device == "auto":
        return
    from sentiment_pipeline.models.precision import choose_device, choose_dtype

    choose_dtype(precision, choose_device(device))


def training_config(run: Run[Settings]) -> TrainingConfig:
    """The training settings for `depends`, with SHA-256s in place of names: of the word vectors, and of a model."""
    training: TrainingConfig = run.settings.training
    if training.vectors:
        training = replace(training, vectors=digest(locate(training.vectors)))
    return (
        replace(training, start_from=identity_of(training.start_from, run.data_dir))
        if training.start_from
        else training
    )


def processes_of(execution: ExecutionConfig) -> "Processes":
    """The number of processes and machines from the settings."""
    from sentiment_pipeline.training.launch import Processes

    return Processes(execution.training_processes, execution.training_nodes, execution.training_rendezvous)


def make_job(
    data_dir: Path,
    checkpoints: Path,
    *,
    model: ModelConfig,
    training: TrainingConfig,
    vectors: Path | None,
    runtime: RuntimeConfig,
    vocabulary_size: int,
    identity: str,
    start: Path | None = None,
    old_reviews: int = 0,
) -> "Job":
    """The training job for the arguments of `training_step`.

    Args:
        checkpoints: the folder in which the job gets a folder of its own, named by `identity`.
        vectors: the file of word vectors to start from, or None.
        identity: the fingerprint of the step.
        start: the file of the weights to start from, or None.
        old_reviews: number of training reviews that those were trained on.
    """
    from sentiment_pipeline.training.job import Job

    folder = checkpoints / identity[:16]
    words = data_dir / layout.VOCABULARY if vectors else None
    return Job(
        data_dir / layout.PACKED,
        folder,
        folder / layout.LIVE_HISTORY,
        model,
        training,
        runtime,
        vocabulary_size,
        identity,
        vectors,
        words,
        start,
        old_reviews,
    )


def _train(
    data_dir: Path, on_progress: ProgressCallback, *, execution: ExecutionConfig, **arguments: Any
) -> Mapping[str, JSON]:
    from sentiment_pipeline.models.model_folder import save_weights
    from sentiment_pipeline.training.launch import train_in_processes

    job = make_job(data_dir, data_dir / layout.CHECKPOINTS, **arguments)
    _delete_other_checkpoints(job.checkpoints)
    result = train_in_processes(job, processes_of(execution), on_progress)
    save_weights(data_dir / layout.WEIGHTS, result.weights)
    write_text(data_dir / layout.HISTORY, job.history.read_text(encoding="utf-8"))
    facts = {
        **result.facts,
        "validation": result.validation,
        "vocabulary_size": job.vocabulary_size,
        "trained_on": first_reviews(job.packed / "train"),
        "versions": versions(),
    }
    if not result.validation["reviews"]:
        return {
            **facts,
            "warnings": ["there are no validation reviews, so the last weights are kept, not the best ones"],
        }
    return facts


def _delete_other_checkpoints(folder: Path) -> None:
    """Delete the checkpoints of earlier settings, beside the folder of the present ones."""
    for other in folder.parent.glob("[0-9a-f]" * len(folder.name)):
        if other != folder and other.is_dir():
            shutil.rmtree(other)


def _inspect(data_dir: Path) -> Iterator[str]:
    """A line for each damaged checkpoint."""
    return iter(damaged_checkpoints(data_dir / layout.CHECKPOINTS).values())


def _repair(data_dir: Path) -> None:
    """Delete damaged checkpoints; training resumes from an earlier one."""
    discard_damaged_checkpoints(data_dir / layout.CHECKPOINTS)


STAGE = Stage(
    "train",
    _plan,
    publishes=(layout.WEIGHTS, layout.HISTORY),
    keeps=(layout.CHECKPOINTS,),
    check=_check,
    inspect=_inspect,
    repair=_repair,
)
