"""The model card: what someone who is given only the model folder has to know about it."""

from collections.abc import Mapping
from typing import Any

from sentiment_pipeline.report.template import fill_template

__all__ = ["model_card"]

_GROUPS = ("cleaning", "vocabulary", "model", "training")  # settings on the card


def model_card(
    name: str, metrics: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Mapping[str, Any]], vocabulary_size: int
) -> str:
    """The card as Markdown.

    Args:
        name: what was trained, for example the preset.
        metrics: by part, as in `metrics.json`; the card shows `test`, `validation`, `train` and rejected lines.
        settings: by group, values by name; the card shows `cleaning`, `vocabulary`, `model` and `training`.
        vocabulary_size: number of tokens, with the special ones.
    """
    shown = {f"{group}.{key}": value for group in _GROUPS for key, value in settings.get(group, {}).items()}
    return fill_template(
        "model_card.md",
        name=name,
        model=settings["model"],
        metrics=metrics,
        vocabulary_size=vocabulary_size,
        rejected=metrics.get("prepare", {}).get("rejected", 0),
        tables={"Training": _scalars(metrics.get("train", {})), "Settings": _scalars(shown)},
    )


def _scalars(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that fit into a table."""
    return {name: value for name, value in values.items() if isinstance(value, int | float | str)}
