"""One typed model of all settings, for the command line, Python and the Prefect flows.

The groups are the dataclasses that the library itself uses, and a preset is a complete TOML file of them. A user gives
`Choices`: some values that override the preset's, as options, in a TOML file, in Python or in the Prefect UI's form.
`Choices.resolve` turns them into the complete `Settings`. Unknown names and values out of range are refused, by name,
before any work begins.
"""

from sentiment_pipeline.settings.changes import changed_settings
from sentiment_pipeline.settings.last_run import read_last_run, write_last_run
from sentiment_pipeline.settings.loading import choices, load
from sentiment_pipeline.settings.model import GROUPS, Choices, ExecutionConfig, Settings
from sentiment_pipeline.settings.preset import PRESETS, default_preset, preset

__all__ = [
    "GROUPS",
    "PRESETS",
    "Choices",
    "ExecutionConfig",
    "Settings",
    "changed_settings",
    "choices",
    "default_preset",
    "load",
    "preset",
    "read_last_run",
    "write_last_run",
]
