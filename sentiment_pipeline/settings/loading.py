"""Settings from what a user gives: options, a TOML file, `group.name=VALUE` assignments, values in Python."""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from sentiment_pipeline import layout
from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.limits import limits_in_words
from sentiment_pipeline.paths import StrPath, user_path
from sentiment_pipeline.settings.model import GROUPS, Choices, Settings

__all__ = ["choices", "load"]

_PYTHON_FLOAT = re.compile(r"[+-]?(\d+\.|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)  # no float in TOML


def load(
    values: Mapping[str, Any],
    config: StrPath | None = None,
    assignments: Iterable[str] = (),
    base: Mapping[str, Any] | None = None,
    groups: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """The complete settings of a command line or a call: `choices` over their preset.

    Raises:
        SettingsError: names each wrong setting, with what is allowed.
    """
    return choices(values, config, assignments, base, groups).resolve()


def choices(
    values: Mapping[str, Any],
    config: StrPath | None = None,
    assignments: Iterable[str] = (),
    base: Mapping[str, Any] | None = None,
    groups: Mapping[str, Mapping[str, Any]] | None = None,
) -> Choices:
    """The `Choices` of a command line or a call.

    From the lowest to the highest precedence: `base`, `config`, `groups`, `assignments`, `values`.

    Args:
        values: values at the top level, such as `preset`; None counts as not given.
        config: a TOML file.
        assignments: `group.name=VALUE` each.
        base: for example the settings of the last run.
        groups: values by group and name.

    Raises:
        SettingsError: names each wrong setting, with what is allowed.
    """
    if base:
        _refuse_other_version(base)
    merged = {**(base or {}), **(_read_file(user_path(config)) if config is not None else {})}
    for group, settings in (groups or {}).items():
        merged[group] = {**merged.get(group, {}), **settings}
    for assignment in assignments:
        _assign(merged, assignment)
    merged.update({name: value for name, value in values.items() if value is not None})
    try:
        return Choices.model_validate(merged)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(dict(each)) for each in error.errors())) from error


def _refuse_other_version(base: Mapping[str, Any]) -> None:
    """Refuse the settings of a last run that are no settings any more."""
    try:
        Choices.model_validate(base)
    except ValidationError as error:
        first = _explain(dict(error.errors()[0])).partition(";")[0]
        raise SettingsError(
            f"the settings of the last run, in {layout.SETTINGS} of the data folder, are those of another version "
            f"({first}); give --preset or --config"
        ) from error


def _read_file(path: Path) -> dict[str, Any]:
    """Settings from a TOML file, or from the `settings.json` of a data folder."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows begin a file with a byte order mark
        values: dict[str, Any] = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
        return values
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"cannot read the settings in {path}: {error}") from error


def _assign(values: dict[str, Any], assignment: str) -> None:
    """Set `a.b=VALUE` in nested values; VALUE is parsed as TOML if possible, otherwise it is a string."""
    name, equals, text = assignment.partition("=")
    *groups, key = name.strip().split(".")
    if not equals or not key:
        raise SettingsError(f"--set takes group.name=VALUE, not {assignment!r}")
    for group in groups:
        values = values.setdefault(group, {})
        if not isinstance(values, dict):
            raise SettingsError(f"--set {assignment}: {group} is not a group of settings")
    values[key] = _parse_value(text)


def _parse_value(text: str) -> Any:
    """A TOML value, or a number or truth value as Python writes it, or else the string itself.

    >>> _parse_value("0.5"), _parse_value(".5"), _parse_value("True"), _parse_value("max_mean")
    (0.5, 0.5, True, 'max_mean')
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # not TOML; a number of thousands of digits; deeply nested brackets
        pass
    if text in ("True", "False"):
        return text == "True"
    return float(text) if _PYTHON_FLOAT.fullmatch(text) else text


def _explain(fault: Mapping[str, Any]) -> str:
    """One of pydantic's errors in one line: the name of the setting, what is wrong with it, what is allowed."""
    location = [str(part) if str(part).isprintable() else repr(part) for part in fault["loc"]]
    name = ".".join(location)
    if fault["type"] == "extra_forbidden":
        known = [each.name for each in fields(GROUPS[location[0]])] if len(location) > 1 else list(Choices.model_fields)
        return f"{name} is not a setting; there are: {', '.join(known)}"
    allowed = ""
    if len(location) == 2 and location[0] in GROUPS:
        known_fields = {each.name: each.metadata for each in fields(GROUPS[location[0]])}
        metadata = known_fields.get(location[1], MappingProxyType({}))
        allowed = f"; allowed: {limits}" if (limits := limits_in_words(metadata)) else ""
    return f"{name}: {fault['msg'][0].lower()}{fault['msg'][1:]}, not {_shortened(repr(fault['input']))}{allowed}"


def _shortened(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}…"
