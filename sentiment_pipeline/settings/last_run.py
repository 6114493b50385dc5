"""The settings of the last run, kept in its data folder, so that `status` needs no options."""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import read_bytes, write_text
from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.settings.model import Settings

__all__ = ["read_last_run", "write_last_run"]


def write_last_run(settings: Settings) -> None:
    """Publish the settings of a run in its data folder. A run without input files keeps those of the run before it."""
    values = asdict(settings)
    with suppress(SettingsError):  # a damaged file is replaced
        before = read_last_run(settings.data_dir)
        for name in layout.SOURCES:
            values[name] = values[name] or before.get(name)
    write_text(settings.data_dir / layout.SETTINGS, json.dumps(values, indent=1, default=str) + "\n")


def read_last_run(data_dir: Path) -> dict[str, Any]:
    """The settings of the last run in a data folder, as `base` for `load`; empty if there was none.

    Raises:
        SettingsError: the file is damaged, or `data_dir` is a file.
    """
    path = data_dir / layout.SETTINGS
    try:
        values = json.loads(read_bytes(path))
    except FileNotFoundError:
        return {}
    except NotADirectoryError as error:
        raise SettingsError(f"{data_dir} is a file; give a folder") from error
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is damaged ({error}); delete it, or give the settings again") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path} is damaged; delete it, or give the settings again")
    return {**values, "data_dir": str(data_dir)}
