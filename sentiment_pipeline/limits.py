"""The limits in the field metadata of a config: as words, and as a check of values.

Configs are plain dataclasses, because training must run without pydantic. pydantic, the command line, the Prefect form
and `docs/settings.md` read their metadata; values from a model folder or a job's file are checked here.
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
    """The limits of a field in words; empty without limits.

    Args:
        metadata: the metadata of the field; `ge`, `gt`, `le` and `lt` are its limits.

    >>> limits_in_words({"ge": 0, "lt": 1})
    'at least 0 and less than 1'
    """
    return " and ".join(
        f"{words} {_number(metadata[name])}" for name, (_, words) in _LIMITS.items() if name in metadata
    )


def _number(limit: float) -> str:
    """A limit as text: `0.5`, `65,536`, `2^40`."""
    if limit != int(limit):
        return str(limit)
    whole = int(limit)
    is_large_power_of_two = whole > 1 << 30 and whole.bit_count() == 1
    return f"2^{whole.bit_length() - 1}" if is_large_power_of_two else f"{whole:,}"


def config_from_values(config: type[Config], values: Any, where: str) -> Config:
    """A config from values that were read from a file.

    Args:
        config: a dataclass.
        values: a mapping with a value for each field, of its type and within its limits.
        where: what the values are, for the error message, for example `model in config.json`.

    Raises:
        SettingsError: a value is missing, unknown or wrong, or `values` is not a mapping; names the first such value.
    """
    hints, known = get_type_hints(config), fields(config)  # type: ignore[arg-type]
    if not isinstance(values, Mapping) or set(values) != {each.name for each in known}:
        raise SettingsError(f"{where} must hold exactly: {', '.join(each.name for each in known)}")
    for each in known:
        if fault := _violation(values[each.name], hints[each.name], each.metadata):
            raise SettingsError(f"{where}: {each.name} {fault}, not {str(values[each.name])[:100]!r}")
    return config(**values)


def _violation(value: Any, hint: Any, limits: Mapping[str, Any]) -> str | None:
    """What the value must be, if it is not; otherwise None."""
    if choices := get_args(hint):
        return None if isinstance(value, str) and value in choices else f"must be one of {', '.join(choices)}"
    if not (type(value) is hint or (hint is float and type(value) is int)):
        return f"must be {hint.__name__}"
    for name, (compare, words) in _LIMITS.items():
        if name in limits and not compare(value, limits[name]):
            return f"must be {words} {_number(limits[name])}"
    return None
