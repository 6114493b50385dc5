"""The config of a model folder, `config.json`. To read it takes no torch, which takes seconds to import."""

import json
from pathlib import Path
from typing import Any

from sentiment_pipeline.engine.files import read_bytes
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.limits import config_from_values
from sentiment_pipeline.models.config import ModelConfig

__all__ = ["FORMAT", "read_config"]

FORMAT = 1
_MAX_VOCABULARY = 1 << 32


def read_config(path: Path) -> dict[str, Any]:
    """The content of a `config.json`; what is needed to load the weights is checked.

    Raises:
        PipelineError: it is missing, or one of these entries is missing or wrong.
    """
    try:
        config: dict[str, Any] = json.loads(read_bytes(path))
        if config["format"] != FORMAT:
            raise ValueError(f"its format is {config['format']}, this version reads {FORMAT}")
        size = config["vocabulary_size"]
        if type(size) is not int or not 0 < size <= _MAX_VOCABULARY or not isinstance(config["weights_sha256"], str):
            raise ValueError("vocabulary_size or weights_sha256 is wrong")
        config_from_values(ModelConfig, config["model"], "model")
        return config
    except FileNotFoundError as error:
        raise PipelineError(f"{path} is missing; name a model folder, such as model/ of a data folder") from error
    except (ValueError, TypeError, KeyError, RecursionError, OSError, SettingsError) as error:
        raise PipelineError(f"{path} is not a model's config ({error})") from error
