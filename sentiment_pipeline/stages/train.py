"""Train: packed ids in, the best weights and the history of their making out.

Training is one step, but a long one: inside it the checkpoints carry on where a killed run stopped. They lie
in a folder named by the step's fingerprint, so that weights of other settings are never taken up. The last
two stay when training has ended: damaged weights are then made again from them, at no cost.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sentiment_pipeline.stages import encode, vocabulary
from sentiment_pipeline.stages.step import Report, Run, Step, upstream
from sentiment_pipeline.storage.files import write_text
from sentiment_pipeline.storage.manifest import JSON, fingerprint
from sentiment_pipeline.training.config import ModelConfig, RuntimeConfig, TrainingConfig
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.launch import Processes, train_in_processes
from sentiment_pipeline.training.model_folder import save_weights
from sentiment_pipeline.training.precision import choose_device, choose_format
from sentiment_pipeline.training.vectors import digest, locate

VERSION = 1
NAME = "train"
WEIGHTS, HISTORY = "training/model.safetensors", "training/history.jsonl"
PUBLISHES = (WEIGHTS, HISTORY)
CHECKPOINTS = "checkpoints"
LIVE_HISTORY = "history.jsonl"  # beside the checkpoints while training goes on, TensorBoard's files too


def plan(run: Run) -> Iterator[list[Step]]:
    settings, training = run.settings, training_of(run)
    encode.demand_prepared(run)
    vectors = locate(settings.training.vectors) if training.vectors else None
    if vectors:
        run.intact(vocabulary.NAME, vocabulary.TABLE)
    packed = [run.intact(encode.pack_name(split)) for split in ("train", "validation")]
    depends: dict[str, JSON] = {
        "version": VERSION,
        "packed": upstream(packed),
        "model": asdict(settings.model),
        "training": asdict(training),
    }
    arguments = {
        "model": settings.model,
        "training": training,
        "vectors": vectors,
        "runtime": settings.runtime,
        "processes": processes_of(settings.execution),
        "vocabulary_size": run.manifest(vocabulary.NAME).facts["size"],
        "identity": fingerprint(depends),
    }
    yield [Step(NAME, work, arguments, depends, (WEIGHTS, HISTORY))]


def check(run: Run) -> None:
    """Find out before hours of preparing whether this machine has what training needs.

    Raises:
        SettingsError: the device or number format is not to be had here.
    """
    choose_format(run.settings.training.precision, choose_device(run.settings.runtime))


def training_of(run: Run) -> TrainingConfig:
    """The training settings as what depends on them sees them: of word vectors what is in the file, not its name."""
    training: TrainingConfig = run.settings.training
    return replace(training, vectors=digest(locate(training.vectors))) if training.vectors else training


def processes_of(execution: Any) -> Processes:
    """The processes that the settings (`settings.ExecutionConfig`) want."""
    return Processes(execution.training_processes, execution.training_nodes, execution.training_rendezvous)


def make_job(data_dir: Path, checkpoints: Path, *, model: ModelConfig, training: TrainingConfig, vectors: Path | None,
             runtime: RuntimeConfig, vocabulary_size: int, identity: str) -> Job:
    """The training of a step's arguments, with its checkpoints in a folder of its own below `checkpoints`."""
    folder = checkpoints / identity[:16]
    words = data_dir / vocabulary.TABLE if vectors else None
    return Job(data_dir / "packed", folder, folder / LIVE_HISTORY, model, training, runtime, vocabulary_size, identity,
               vectors, words)


def work(data_dir: Path, report: Report, *, processes: Processes, **arguments: Any) -> Mapping[str, JSON]:
    job = make_job(data_dir, data_dir / CHECKPOINTS, **arguments)
    remove_others(job.checkpoints)
    result = train_in_processes(job, processes, report)
    save_weights(data_dir / WEIGHTS, result.weights)
    write_text(data_dir / HISTORY, job.history.read_text(encoding="utf-8"))
    return {**result.facts, "validation": result.validation, "vocabulary_size": job.vocabulary_size}


def remove_others(folder: Path) -> None:
    """Delete the checkpoints of earlier settings."""
    for other in folder.parent.glob("[0-9a-f]" * len(folder.name)):
        if other != folder and other.is_dir():
            shutil.rmtree(other)
