"""One training run as plain data: its job and its result, and both as files, for training in other processes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import read_bytes, write_text
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.limits import config_from_values
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.evaluation import Metrics
from sentiment_pipeline.models.model_folder import load_weights, save_weights
from sentiment_pipeline.training.config import RuntimeConfig, TrainingConfig

__all__ = ["Job", "TrainResult"]

_GROUPS = {"model": ModelConfig, "training": TrainingConfig, "runtime": RuntimeConfig}
_PATHS = ("packed", "checkpoints", "history")


@dataclass(frozen=True)
class Job:
    """One training run: what it reads, where it writes, and its settings.

    Attributes:
        packed: the folder of the splits `train` and `validation`, each as `open_packed` reads it.
        checkpoints: the folder of its checkpoints, which holds nothing else.
        history: the file of its figures, JSON lines.
        model: the settings of the model.
        training: the settings that determine the weights.
        runtime: how this machine trains.
        vocabulary_size: number of ids, the two special ones included.
        fingerprint: hash of everything that the weights depend on.
        vectors: pretrained word vectors, as `read_vectors` reads them, or None.
        words: the vocabulary's Parquet file; None without word vectors.
        start: the weights to begin with, a safetensors file; None: random ones.
        old_reviews: number of training reviews, the first ones, that those weights were trained on.
    """

    packed: Path
    checkpoints: Path
    history: Path
    model: ModelConfig
    training: TrainingConfig
    runtime: RuntimeConfig
    vocabulary_size: int
    fingerprint: str
    vectors: Path | None = None
    words: Path | None = None
    start: Path | None = None
    old_reviews: int = 0

    def write(self, path: Path) -> None:
        """Publish the job as JSON."""
        values = asdict(self)
        paths = {name: str(value) for name, value in values.items() if isinstance(value, Path)}
        write_text(path, json.dumps({**values, **paths}, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Job":
        """The job in a file that `write` published.

        Raises:
            PipelineError: the file is missing, or not such a job.
        """
        values = _read_object(path, {each.name for each in fields(cls)})
        groups: dict[str, Any] = {
            name: config_from_values(config, values[name], f"{name} in {path}") for name, config in _GROUPS.items()
        }
        paths = {name: Path(values[name]) for name in _PATHS}
        optional = {name: Path(values[name]) if values[name] else None for name in ("vectors", "words", "start")}
        return cls(**{**values, **groups, **paths, **optional})

    def identity(self) -> dict[str, Any]:
        """What a checkpoint must have in common with a run that resumes from it: JSON values by name."""
        settings = {"model": asdict(self.model), "training": asdict(self.training)}
        flat = {f"{group}.{name}": value for group, values in settings.items() for name, value in values.items()}
        rest = {name: getattr(self, name) for name in ("vocabulary_size", "old_reviews", "fingerprint")}
        return {**flat, **rest}


@dataclass(frozen=True)
class TrainResult:
    """The result of a training run.

    Attributes:
        weights: the best weights, by name, on the CPU.
        validation: their training step, as `step`, and their validation metrics.
        facts: `reviews_per_s`, `tokens_per_s`, `seconds`, `data_wait`, `epochs`, `steps`, `best_step`, `parameters`.
    """

    weights: dict[str, Tensor]
    validation: Metrics
    facts: dict[str, float]

    def write(self, folder: Path) -> None:
        """Publish the result in a folder."""
        save_weights(folder / layout.LAUNCH_WEIGHTS, self.weights)
        write_text(folder / layout.LAUNCH_RESULT, json.dumps({"validation": self.validation, "facts": self.facts}))

    @classmethod
    def read(cls, folder: Path) -> "TrainResult":
        """The result in a folder, as `write` published it.

        Raises:
            PipelineError: a file is missing or damaged.
        """
        values = _read_object(folder / layout.LAUNCH_RESULT, {"validation", "facts"})
        return cls(load_weights(folder / layout.LAUNCH_WEIGHTS), values["validation"], values["facts"])


def _read_object(path: Path, names: set[str]) -> Mapping[str, Any]:
    """A JSON object with exactly these names."""
    try:
        values: dict[str, Any] = json.loads(read_bytes(path))
        if set(values) != names:
            raise ValueError(f"it must hold exactly: {', '.join(sorted(names))}")
        return values
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise PipelineError(f"cannot read {path}: {error}") from error
