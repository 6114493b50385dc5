"""One typed model for every setting, whoever gives it.

The groups are the dataclasses that the library itself uses; a preset is a complete TOML file of them. A user
gives `Choices`: some values over a preset, by options, a TOML file or the parameter form of the Prefect UI.
`Choices.resolve` makes the complete `Settings` of them. Unknown keys and values out of range are refused,
by name, before any work begins.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model, field_validator

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.prepare.config import CleaningConfig, IngestConfig, SplitConfig, VocabularyConfig
from sentiment_pipeline.storage.files import contents, write_text
from sentiment_pipeline.training.config import ModelConfig, RuntimeConfig, TrainingConfig

PRESETS = ("seed", "quick", "full")
FILES = ("train", "test")
REMEMBERED = "settings.json"  # the last run's settings, in its data folder


@dataclass(frozen=True)
class ExecutionConfig:
    """Where the work is done; nothing here changes a byte of the results."""

    __pydantic_config__ = {"extra": "forbid"}

    runner: Literal["threads", "processes", "dask"] = field(metadata=dict(
        description="what runs the shards: threads or processes of this machine, or a Dask cluster"))
    workers: int = field(metadata=dict(
        ge=0, le=1024, description="threads or processes that work on shards; 0 is one for each core"))
    dask_address: str = field(metadata=dict(
        max_length=1000, description="address of the Dask scheduler, for example tcp://10.0.0.5:8786; for dask only"))
    training_processes: int = field(metadata=dict(
        ge=1, le=64, description="training processes on each machine, one for each GPU, under torchrun"))
    training_nodes: int = field(metadata=dict(
        ge=1, le=1024, description="machines that train together; on the others the same torchrun is started by hand"))
    training_rendezvous: str = field(metadata=dict(
        max_length=1000, description="where they meet, HOST:PORT of one of them; for several machines only"))


@dataclass(frozen=True)
class Settings:
    """Every setting, complete: what the stages work with."""

    train: Path | None
    test: Path | None
    data_dir: Path
    preset: str
    ingest: IngestConfig
    cleaning: CleaningConfig
    split: SplitConfig
    vocabulary: VocabularyConfig
    model: ModelConfig
    training: TrainingConfig
    runtime: RuntimeConfig
    execution: ExecutionConfig


def optional(config: type) -> type[BaseModel]:
    """The fields of a group, each of which may be left to the preset."""
    hints = get_type_hints(config)
    choices: dict[str, Any] = {
        each.name: (hints[each.name] | None, Field(default=None, **each.metadata)) for each in fields(config)
    }
    group = config.__name__.removesuffix("Config")
    strictly = ConfigDict(extra="forbid", strict=True, title=group)
    return create_model(f"{group}Choices", __config__=strictly, __doc__=config.__doc__, **choices)


GROUPS: Mapping[str, type] = {
    name: kind for name, kind in get_type_hints(Settings).items() if name not in ("train", "test", "data_dir", "preset")
}


class Files(BaseModel, extra="forbid"):
    """The choices that are not in a group."""

    train: Path | None = Field(None, description="training reviews: fastText lines, .bz2 or plain text")
    test: Path | None = Field(None, description="test reviews, in the same form")
    data_dir: Path = Field(Path("data"), description="the folder that holds everything the pipeline makes")
    preset: Literal["seed", "quick", "full"] | None = Field(
        None, description="the values of all that is left empty below; without one: full with a GPU, else quick")

    @field_validator("train", "test", "data_dir", mode="before")
    @classmethod
    def refuse_empty(cls, path: Any) -> Any:
        """An emptied field of a form would mean the folder that the program happens to be started in."""
        if path == "":
            raise ValueError("a path is needed")
        return path

    def resolve(self) -> Settings:
        """The complete settings: these choices over their preset.

        Raises:
            SettingsError: a choice does not fit the others.
        """
        name = self.preset or default_preset()
        given = self.model_dump(exclude_none=True)
        values = preset(name)
        for group in GROUPS:
            values[group] = {**values[group], **given.get(group, {})}
        files = {"train": self.train, "test": self.test, "data_dir": self.data_dir, "preset": name}
        settings = TypeAdapter(Settings).validate_python({**values, **files})
        check_together(settings)
        return settings


GROUP_FIELDS: dict[str, Any] = {
    name: (optional(kind), Field(default_factory=optional(kind), description=kind.__doc__))
    for name, kind in GROUPS.items()
}
Choices: Any = create_model(
    "Choices",
    __base__=Files,
    __doc__="What a user may set; everything that is left empty is as the preset says.",
    **GROUP_FIELDS,
)


def load(values: Mapping[str, Any], config: Path | None = None, assignments: Iterable[str] = (),
         base: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a command line, see `choices`, over their preset."""
    return choices(values, config, assignments, base).resolve()


def choices(values: Mapping[str, Any], config: Path | None = None, assignments: Iterable[str] = (),
            base: Mapping[str, Any] | None = None) -> Any:
    """The `Choices` of a command line: `a.b=VALUE` assignments over a TOML file.

    Args:
        values: top-level values given by options of their own; None is not given.
        base: what all of these go over, such as the settings of the last run.

    Raises:
        SettingsError: names each wrong setting.
    """
    merged = {**(base or {}), **(read_toml(config) if config else {})}
    for assignment in assignments:
        assign(merged, assignment)
    merged.update({name: value for name, value in values.items() if value is not None})
    return validated(merged)


def validated(values: Mapping[str, Any]) -> Any:
    """`Choices` of plain values.

    Raises:
        SettingsError: names each wrong setting, with what is allowed.
    """
    try:
        return Choices.model_validate(values)
    except ValidationError as error:
        raise SettingsError("; ".join(explained(dict(fault)) for fault in error.errors())) from error


def absolute(settings: Settings) -> Settings:
    """The same settings for processes that work in other folders."""
    paths = {name: path.absolute() for name in (*FILES, "data_dir") if (path := getattr(settings, name))}
    return replace(settings, **paths)


def remember(settings: Settings) -> None:
    """Publish the settings of a run in its data folder, for `recall`; one without input files keeps those before."""
    values = asdict(settings)
    with suppress(SettingsError):  # a damaged file is made anew
        before = recall(settings.data_dir)
        for name in FILES:
            path = getattr(settings, name)
            values[name] = str(path.absolute()) if path else before.get(name)
    write_text(settings.data_dir / REMEMBERED, json.dumps(values, indent=1, default=str) + "\n")


def recall(data_dir: Path) -> dict[str, Any]:
    """The settings of the last run in a data folder, as values for `load`; empty without one.

    Raises:
        SettingsError: the file that holds them is damaged.
    """
    path = data_dir / REMEMBERED
    try:
        values = json.loads(contents(path))
    except FileNotFoundError:
        return {}
    except NotADirectoryError as error:
        raise SettingsError(f"{data_dir} is a file; give a folder") from error
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is damaged ({error}); delete it, or give the settings again") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path} is damaged; delete it, or give the settings again")
    return {**values, "data_dir": str(data_dir)}


def preset(name: str) -> dict[str, Any]:
    """The values of a preset, group by group."""
    return tomllib.loads(resources.files("sentiment_pipeline.presets").joinpath(f"{name}.toml").read_text())


def default_preset() -> str:
    """`full` where there is a GPU to train it on, `quick` elsewhere."""
    import torch  # here, because it takes seconds to import and few commands need it

    return "full" if torch.cuda.is_available() else "quick"


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"cannot read the settings in {path}: {error}") from error


def assign(values: dict[str, Any], assignment: str) -> None:
    """Put `a.b=VALUE` into nested values; VALUE is TOML where it can be, else a plain string."""
    name, equals, text = assignment.partition("=")
    *groups, key = name.strip().split(".")
    if not equals or not key:
        raise SettingsError(f"--set takes group.name=VALUE, not {assignment!r}")
    for group in groups:
        values = values.setdefault(group, {})
        if not isinstance(values, dict):
            raise SettingsError(f"--set {assignment}: {group} is not a group of settings")
    try:
        values[key] = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # no TOML, a number of thousands of digits, brackets in brackets
        values[key] = text


def explained(fault: Mapping[str, Any]) -> str:
    """One line for one wrong setting: its name, what is wrong with it, what would be right."""
    place = [str(part) if str(part).isprintable() else repr(part) for part in fault["loc"]]
    name = ".".join(place)
    if fault["type"] == "extra_forbidden":
        known = [each.name for each in fields(GROUPS[place[0]])] if len(place) > 1 else list(Choices.model_fields)
        return f"{name} is not a setting; there are: {', '.join(known)}"
    allowed = ""
    if len(place) == 2 and place[0] in GROUPS:
        known_fields = {each.name: each.metadata for each in fields(GROUPS[place[0]])}
        metadata = known_fields.get(place[1], MappingProxyType({}))
        limits = [f"{words} {metadata[key]}" for key, words in
                  (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")) if key in metadata]
        allowed = f"; allowed: {' and '.join(limits)}" if limits else ""
    return f"{name}: {fault['msg'][0].lower()}{fault['msg'][1:]}, not {shortened(repr(fault['input']))}{allowed}"


def shortened(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}…"


def check_together(settings: Settings) -> None:
    """Refuse values that are each allowed but do not fit each other."""
    model = settings.model
    if 0 < model.linear_length < model.length and model.has_linear_head:
        raise SettingsError(f"model.linear_length is {model.linear_length}; it must be 0 or at least model.length, "
                            f"which is {model.length}")
    for name in (*FILES, "data_dir"):
        if "\0" in str(getattr(settings, name)):
            raise SettingsError(f"{name} holds a NUL character; give a path")
    if settings.execution.runner == "dask" and not settings.execution.dask_address:
        raise SettingsError("execution.dask_address is empty; execution.runner dask needs the scheduler's address")
    if settings.execution.training_nodes > 1 and not settings.execution.training_rendezvous:
        raise SettingsError("execution.training_rendezvous is empty; training_nodes need a HOST:PORT to meet at")
    if settings.split.validation == "train" and settings.split.share == 0:
        raise SettingsError("split.share is 0; with split.validation train it must be more than 0")
    if settings.training.vectors:
        from sentiment_pipeline.training.vectors import locate  # here, because it imports pyarrow

        locate(settings.training.vectors)
