"""Presets are complete TOML files of settings, in the folder `presets`."""

import tomllib
from importlib import resources
from typing import Any

__all__ = ["PRESETS", "default_preset", "preset"]

PRESETS = ("tutorial", "quick", "full")


def preset(name: str) -> dict[str, Any]:
    """The values of a preset, by group and name."""
    return tomllib.loads(resources.files("sentiment_pipeline.settings.presets").joinpath(f"{name}.toml").read_text())


def default_preset() -> str:
    """`full` with a GPU, otherwise `quick`."""
    import torch  # here, because importing it takes seconds and few commands need it

    return "full" if torch.cuda.is_available() else "quick"
