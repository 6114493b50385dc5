"""A trained model as a folder: `model.safetensors` and `config.json`. Nothing in it can run code when it is read.

The config says what the model is made of; the weights must then have exactly the names, shapes and bytes that it says.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published, read_bytes, sha256, write_text
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.limits import config_from_values
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.sentiment import SentimentModel

__all__ = ["Weights", "build_model", "load_model", "load_weights", "read_config", "save_model", "save_weights"]

_FORMAT = 1
_MAX_VOCABULARY = 1 << 32

Weights = Mapping[str, Tensor]


def save_weights(path: Path, weights: Weights) -> None:
    """Publish weights as a safetensors file."""
    with published(path) as temporary:
        temporary.write_bytes(save({name: each.detach().cpu().contiguous() for name, each in weights.items()}))


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read what `save_weights` wrote.

    Raises:
        PipelineError: the file is missing or no safetensors file.
    """
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise PipelineError(f"{path} is missing") from error
    except Exception as error:  # safetensors raises types of its own, and torch others for odd shapes
        raise PipelineError(f"{path} is damaged ({error})") from error


def save_model(
    folder: Path, weights: Weights, model: ModelConfig, vocabulary_size: int, more: Mapping[str, Any]
) -> None:
    """Publish weights and config in `folder`; the config last, so that it never describes weights to come.

    Args:
        more: what else the config holds, such as how texts become ids; JSON.
    """
    save_weights(folder / layout.MODEL_WEIGHTS, weights)
    config = {
        "format": _FORMAT,
        "model": asdict(model),
        "vocabulary_size": vocabulary_size,
        "weights_sha256": sha256(folder / layout.MODEL_WEIGHTS),
        **more,
    }
    write_text(folder / layout.MODEL_CONFIG, json.dumps(config, indent=1) + "\n")


def load_model(folder: Path) -> tuple[SentimentModel, dict[str, Any]]:
    """The model of a folder, ready to score, and its config.

    Raises:
        PipelineError: a file is missing or damaged, or the two do not belong together.
    """
    config = read_config(folder / layout.MODEL_CONFIG)
    path = folder / layout.MODEL_WEIGHTS
    if not path.is_file() or sha256(path) != config["weights_sha256"]:
        raise PipelineError(f"{path} is missing, damaged or not of this {layout.MODEL_CONFIG}; publish the model again")
    model = build_model(ModelConfig(**config["model"]), config["vocabulary_size"], load_weights(path), str(path))
    return model, config


def read_config(path: Path) -> dict[str, Any]:
    """`config.json`, checked as far as this half needs it.

    Raises:
        PipelineError: it is missing, or anything this half needs is not as it must be.
    """
    try:
        config: dict[str, Any] = json.loads(read_bytes(path))
        if config["format"] != _FORMAT:
            raise ValueError(f"its format is {config['format']}, this version reads {_FORMAT}")
        size = config["vocabulary_size"]
        if type(size) is not int or not 0 < size <= _MAX_VOCABULARY or not isinstance(config["weights_sha256"], str):
            raise ValueError("vocabulary_size or weights_sha256 is wrong")
        config_from_values(ModelConfig, config["model"], "model")
        return config
    except FileNotFoundError as error:
        raise PipelineError(f"{path} is missing; name a model folder, such as model/ of a data folder") from error
    except (ValueError, TypeError, KeyError, RecursionError, OSError, SettingsError) as error:
        raise PipelineError(f"{path} is not a model's config ({error})") from error


def build_model(config: ModelConfig, vocabulary_size: int, weights: Weights, where: str) -> SentimentModel:
    """A model with a copy of the given weights.

    A copy, because mapped ones need not be aligned, and then the last bit of a product can differ.

    Raises:
        PipelineError: the weights have other names, shapes or types than the config says.
    """
    with torch.device("meta"):  # shapes without memory, whatever the config claims
        model = SentimentModel(config, vocabulary_size)
    expected = {name: (each.shape, each.dtype) for name, each in model.state_dict().items()}
    if expected != {name: (each.shape, each.dtype) for name, each in weights.items()}:
        raise PipelineError(f"{where} does not fit its config: other weights, shapes or types than the model has")
    model.load_state_dict({name: each.clone() for name, each in weights.items()}, assign=True)
    return model.eval()
