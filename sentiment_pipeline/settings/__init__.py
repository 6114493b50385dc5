"""One typed model for every setting, whoever gives it.

The groups are the dataclasses that the library itself uses; a preset is a complete TOML file of them. A user
gives `Choices`: some values over a preset, by options, a TOML file or the parameter form of the Prefect UI.
`Choices.resolve` makes the complete `Settings` of them. Unknown keys and values out of range are refused,
by name, before any work begins.
"""

from sentiment_pipeline.settings.last_run import recall, remember
from sentiment_pipeline.settings.loading import choices, load
from sentiment_pipeline.settings.model import GROUPS, Choices, ExecutionConfig, Settings
from sentiment_pipeline.settings.preset import PRESETS, default_preset, preset

__all__ = [
    "GROUPS",
    "PRESETS",
    "Choices",
    "ExecutionConfig",
    "Settings",
    "choices",
    "default_preset",
    "load",
    "preset",
    "recall",
    "remember",
]
