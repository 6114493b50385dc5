"""The presets: complete TOML files, in the folder `presets`."""

import tomllib
from importlib import resources
from typing import Any

__all__ = ["PRESETS", "default_preset", "preset"]

PRESETS = ("tutorial", "quick", "full")


def preset(name: str) -> dict[str, Any]:
    """The values of a preset, group by group."""
    return tomllib.loads(resources.files("sentiment_pipeline.settings.presets").joinpath(f"{name}.toml").read_text())


def default_preset() -> str:
    """`full` where there is a GPU to train it on, `quick` elsewhere."""
    import torch  # here, because it takes seconds to import and few commands need it

    return "full" if torch.cuda.is_available() else "quick"
