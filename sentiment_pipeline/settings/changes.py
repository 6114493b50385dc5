"""What a user's settings change from their preset."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sentiment_pipeline.settings.model import GROUPS, Settings
from sentiment_pipeline.settings.preset import preset

__all__ = ["changed_settings"]


def changed_settings(settings: Settings, groups: Iterable[str] = tuple(GROUPS)) -> dict[str, Any]:
    """The values that differ from the preset's, by `group.name`.

    Args:
        settings: the settings.
        groups: the groups that are compared.
    """
    before = preset(settings.preset)
    return {
        f"{group}.{name}": value
        for group in groups
        for name, value in asdict(getattr(settings, group)).items()
        if value != before[group][name]
    }
