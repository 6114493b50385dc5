"""The settings, complete (`Settings`) and as a user gives them (`Choices`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model, field_validator

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.paths import user_path
from sentiment_pipeline.quality.config import QualityConfig
from sentiment_pipeline.settings.preset import default_preset, preset
from sentiment_pipeline.settings.publish import PublishConfig
from sentiment_pipeline.text.config import CleaningConfig, IngestConfig, SplitConfig, VocabularyConfig
from sentiment_pipeline.training.config import RuntimeConfig, TrainingConfig

__all__ = ["GROUPS", "Choices", "ExecutionConfig", "Settings"]


@dataclass(frozen=True)
class ExecutionConfig:
    """Where the work runs; a change never makes finished work stale."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    runner: Literal["threads", "processes", "dask"] = field(
        metadata=dict(
            description="What runs steps in parallel: `processes` or `threads` of this machine, or a `dask` "
            "cluster (Prefect flows only)"
        )
    )
    workers: int = field(
        metadata=dict(ge=0, le=1024, description="Number of processes or threads; 0: one for each core")
    )
    dask_address: str = field(
        metadata=dict(
            max_length=1000,
            description="Address of the Dask scheduler, for example `tcp://10.0.0.5:8786`; only for the runner `dask`",
        )
    )
    training_processes: int = field(
        metadata=dict(
            ge=1,
            le=64,
            description="Training processes on each machine, usually one for each GPU; started by torchrun if "
            "more than one",
        )
    )
    training_nodes: int = field(
        metadata=dict(
            ge=1,
            le=1024,
            description="Machines that train together; torchrun has to be started by hand on all but one",
        )
    )
    training_rendezvous: str = field(
        metadata=dict(
            max_length=1000,
            description="`HOST:PORT` of one of these machines, where they meet; only for several machines",
        )
    )


@dataclass(frozen=True)
class Settings:
    """All settings, complete, as the stages use them.

    Attributes:
        train: where the training reviews are: absolute paths of files and folders, and patterns; empty for stages that
            do not read them.
        test: where the test reviews are, likewise.
        data_dir: the data folder, an absolute path.
        preset: the name of the preset.
    """

    train: tuple[Path, ...]
    test: tuple[Path, ...]
    data_dir: Path
    preset: str
    input: InputConfig
    ingest: IngestConfig
    cleaning: CleaningConfig
    quality: QualityConfig
    split: SplitConfig
    vocabulary: VocabularyConfig
    model: ModelConfig
    training: TrainingConfig
    publish: PublishConfig
    runtime: RuntimeConfig
    execution: ExecutionConfig


GROUPS: Mapping[str, type] = {
    name: kind for name, kind in get_type_hints(Settings).items() if name not in ("train", "test", "data_dir", "preset")
}


class _BaseChoices(BaseModel, extra="forbid"):
    """The choices at the top level."""

    train: Path | list[Path] | None = Field(
        None,
        description="Training reviews: fastText lines, CSV, TSV or JSON lines, also compressed; Parquet or Arrow. A "
        "file, a folder of files, a pattern with `*`, or several of these",
    )
    test: Path | list[Path] | None = Field(None, description="Test reviews, likewise")
    data_dir: Path = Field(
        Path("data"), validate_default=True, description="Folder for everything that the pipeline produces"
    )
    preset: Literal["tutorial", "quick", "full"] | None = Field(
        None, description="Where all settings that are not given come from (default: full with a GPU, otherwise quick)"
    )

    @field_validator("train", "test", "data_dir", mode="before")
    @classmethod
    def _absolute(cls, given: Any) -> Any:
        try:
            if isinstance(given, list | tuple):
                return [user_path(each) if isinstance(each, str | Path) else each for each in given]
            return user_path(given) if isinstance(given, str | Path) else given
        except SettingsError as error:
            raise ValueError(str(error)) from error

    def resolve(self) -> Settings:
        """The complete settings: these choices, and the preset's values for everything else.

        Raises:
            SettingsError: two values contradict each other.
        """
        name = self.preset or default_preset()
        given = self.model_dump(exclude_none=True)
        values = preset(name)
        for group in GROUPS:
            values[group] = {**values[group], **given.get(group, {})}
        files = {"train": _listed(self.train), "test": _listed(self.test), "data_dir": self.data_dir, "preset": name}
        settings = TypeAdapter(Settings).validate_python({**values, **files})
        _check_together(settings)
        _refuse_without_effect(settings, preset(name))
        return settings


def _listed(given: Path | list[Path] | None) -> list[Path]:
    return given if isinstance(given, list) else [] if given is None else [given]


def _optional(config: type) -> type[BaseModel]:
    """A model with the fields of a group, all of them optional."""
    hints = get_type_hints(config)
    choices: dict[str, Any] = {
        each.name: (hints[each.name] | None, Field(default=None, **each.metadata)) for each in fields(config)
    }
    group = config.__name__.removesuffix("Config")
    strictly = ConfigDict(extra="forbid", strict=True, title=group)
    return create_model(f"{group}Choices", __config__=strictly, __doc__=config.__doc__, **choices)


if TYPE_CHECKING:
    Choices = _BaseChoices
else:
    Choices = create_model(
        "Choices",
        __base__=_BaseChoices,
        __doc__="The settings that a user gives; all others come from the preset.",
        **{
            name: (_optional(kind), Field(default_factory=_optional(kind), description=kind.__doc__))
            for name, kind in GROUPS.items()
        },
    )


def _check_together(settings: Settings) -> None:
    """Raise SettingsError if two values, each of them allowed, contradict each other."""
    model = settings.model
    if 0 < model.linear_length < model.length and model.has_linear_head:
        raise SettingsError(
            f"model.linear_length is {model.linear_length}; it must be 0 or at least model.length, "
            f"which is {model.length}"
        )
    if settings.execution.runner == "dask" and not settings.execution.dask_address:
        raise SettingsError("execution.dask_address is empty; execution.runner dask needs the scheduler's address")
    if settings.execution.training_nodes > 1 and not settings.execution.training_rendezvous:
        raise SettingsError("execution.training_rendezvous is empty; training_nodes need a HOST:PORT to meet at")
    if settings.split.validation == "train" and settings.split.fraction == 0:
        raise SettingsError("split.fraction is 0; with split.validation train it must be more than 0")
    if settings.training.vectors:
        from sentiment_pipeline.training.word_vectors import locate  # here, because it imports pyarrow

        locate(settings.training.vectors)


def _refuse_without_effect(settings: Settings, defaults: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse values that differ from the preset's and that the other values make meaningless."""
    model, execution = settings.model, settings.execution
    meaningless = {
        "model.tail": (model.tail > model.length, "it must be at most model.length, which it is a part of"),
        "model.linear_length": (
            model.linear_length > 0 and not model.has_linear_head,
            "the linear head needs model.ngrams of at least 1 and model.padding right",
        ),
        "training.replay": (
            settings.training.replay < 1 and not settings.training.start_from,
            "only training.start_from makes reviews old",
        ),
        "execution.dask_address": (
            bool(execution.dask_address) and execution.runner != "dask",
            "only execution.runner dask uses it",
        ),
        "execution.training_rendezvous": (
            bool(execution.training_rendezvous) and execution.training_nodes == 1,
            "only several machines use it, see execution.training_nodes",
        ),
    }
    for setting, (is_meaningless, reason) in meaningless.items():
        group, _, name = setting.partition(".")
        value = getattr(getattr(settings, group), name)
        if is_meaningless and value != defaults[group][name]:
            raise SettingsError(f"{setting} is {value!r}, which has no effect: {reason}")
