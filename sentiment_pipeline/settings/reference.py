"""The reference of all settings, generated from the model: `docs/settings.md` and `sentiment-pipeline settings`."""

import sys
from collections.abc import Iterable
from dataclasses import Field, fields
from typing import Any, get_args, get_type_hints

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.limits import limits_in_words
from sentiment_pipeline.settings.model import GROUPS, Choices
from sentiment_pipeline.settings.preset import PRESETS, preset

__all__ = ["print_reference", "reference", "reference_values"]

_HEADER = """# Settings

Every setting with its meaning, its type and limits, and its value in each preset. The preset gives all values; override
some of them

- on the command line: `--set training.epochs=3`
- in a TOML file, given with `--config`: `epochs = 3` below `[training]`
- in Python: `sp.run(..., settings={"training": {"epochs": 3}})`
- in the form of a Prefect deployment

This page is the output of `sentiment-pipeline settings`; `sentiment-pipeline settings training` prints one group.
"""
_TYPES = {int: "integer", float: "number", str: "text", bool: "true or false"}


def reference(group: str | None = None) -> str:
    """The reference as Markdown: a heading and a table for each group.

    Args:
        group: the only group to describe; default: all, with an introduction.

    Raises:
        SettingsError: there is no such group.
    """
    sections = "\n".join(map(_section, _groups(group)))
    return sections if group else "\n".join([_HEADER, _top_level_section(), sections])


def reference_values(group: str | None = None) -> dict[str, dict[str, Any]]:
    """The reference as JSON values: for each setting `description`, `allowed`, and `presets`, its value in each.

    Args:
        group: as for `reference`.

    Raises:
        SettingsError: there is no such group.
    """
    return {
        f"{name}.{each.name}": {
            "description": each.metadata["description"],
            "allowed": _allowed(get_type_hints(GROUPS[name])[each.name], each),
            "presets": {of: preset(of)[name][each.name] for of in PRESETS},
        }
        for name in _groups(group)
        for each in fields(GROUPS[name])
    }


def print_reference(group: str | None = None) -> None:
    """Print the reference: formatted tables in a terminal, otherwise Markdown.

    Raises:
        SettingsError: there is no such group.
    """
    text = reference(group)
    if not sys.stdout.isatty():
        print(text, end="")
        return
    from rich.console import Console  # here, because only a terminal needs it
    from rich.markdown import Markdown

    Console().print(Markdown(text))


def _groups(group: str | None) -> list[str]:
    """The group, or all."""
    if group is not None and group not in GROUPS:
        raise SettingsError(f"{group} is not a group of settings; there are: {', '.join(GROUPS)}")
    return [group] if group else list(GROUPS)


def _top_level_section() -> str:
    rows = ((f"`{name}`", Choices.model_fields[name].description or "") for name in Choices.model_fields)
    named = (row for row in rows if row[0].strip("`") not in GROUPS)
    return f"## Top level\n\n{_table(('setting', 'meaning'), named)}"


def _section(group: str) -> str:
    """The heading, the description and the table of a group."""
    kind = GROUPS[group]
    hints = get_type_hints(kind)
    values = [preset(name)[group] for name in PRESETS]
    rows = (
        (
            f"`{group}.{each.name}`",
            each.metadata["description"],
            _allowed(hints[each.name], each),
            *(_value(of_preset[each.name]) for of_preset in values),
        )
        for each in fields(kind)
    )
    table = _table(("setting", "meaning", "allowed", *PRESETS), rows)
    return f"## {group}\n\n{kind.__doc__}\n\n{table}"


def _allowed(hint: Any, field: "Field[Any]") -> str:
    """The type and the limits of a setting, or its choices."""
    if choices := get_args(hint):
        *others, last = (f"`{choice}`" for choice in choices)
        return f"{', '.join(others)} or {last}"
    if hint is str:
        return f"text, at most {field.metadata['max_length']:,} characters"
    return ", ".join(filter(None, [_TYPES[hint], limits_in_words(field.metadata)]))


def _value(value: object) -> str:
    """A value as TOML writes it, but strings without quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"`{value}`" if value else ""
    return f"{value:_}"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    header = list(header)
    return "".join(f"| {' | '.join(row)} |\n" for row in (header, ["---"] * len(header), *rows))
