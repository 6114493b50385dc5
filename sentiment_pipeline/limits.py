"""The limits in the field metadata of a config: what they mean, in words and as a check.

Configs are plain dataclasses, because what trains runs without pydantic. Their metadata is what pydantic, the command
line, the Prefect form and `docs/settings.md` are made from; values from a file are checked here.
"""

from collections.abc import Mapping
from dataclasses import fields
from operator import ge, gt, le, lt
from typing import Any, TypeVar, get_args, get_type_hints

from sentiment_pipeline.errors import SettingsError

__all__ = ["config_from_values", "limits_in_words"]

Config = TypeVar("Config")

_LIMITS = {"ge": (ge, "at least"), "gt": (gt, "more than"), "le": (le, "at most"), "lt": (lt, "less than")}


def limits_in_words(metadata: Mapping[str, Any]) -> str:
    """The limits of a field, for example `at least 0 and less than 1`; empty without limits."""
    return " and ".join(
        f"{words} {_number(metadata[name])}" for name, (_, words) in _LIMITS.items() if name in metadata
    )


def _number(limit: float) -> str:
    """A limit as people write it: `0.5`, `65,536`, `2^40`."""
    if limit != int(limit):
        return str(limit)
    whole = int(limit)
    is_large_power_of_two = whole > 1 << 30 and whole.bit_count() == 1
    return f"2^{whole.bit_length() - 1}" if is_large_power_of_two else f"{whole:,}"


def config_from_values(config: type[Config], values: Any, where: str) -> Config:
    """A config made from plain values that come from a file, each of the declared type and within its limits.

    Args:
        config: a dataclass.
        values: what the file holds, a mapping if it is right.
        where: names the values in the error, for example `model in config.json`.

    Raises:
        SettingsError: a value is missing, unknown or wrong; names the first.
    """
    hints, known = get_type_hints(config), fields(config)  # type: ignore[arg-type]
    if not isinstance(values, Mapping) or set(values) != {each.name for each in known}:
        raise SettingsError(f"{where} must hold exactly: {', '.join(each.name for each in known)}")
    for each in known:
        if fault := _violation(values[each.name], hints[each.name], each.metadata):
            raise SettingsError(f"{where}: {each.name} {fault}, not {str(values[each.name])[:100]!r}")
    return config(**values)


def _violation(value: Any, hint: Any, limits: Mapping[str, Any]) -> str | None:
    """What `value` must be and is not, or None."""
    if choices := get_args(hint):
        return None if isinstance(value, str) and value in choices else f"must be one of {', '.join(choices)}"
    if not (type(value) is hint or (hint is float and type(value) is int)):
        return f"must be {hint.__name__}"
    for name, (compare, words) in _LIMITS.items():
        if name in limits and not compare(value, limits[name]):
            return f"must be {words} {_number(limits[name])}"
    return None
