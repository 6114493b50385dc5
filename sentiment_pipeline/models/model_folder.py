"""A trained model as a folder: `model.safetensors` and `config.json`. Nothing in it can run code when it is read.

The config describes the model; the weights must have exactly the names, shapes, dtypes and hash that follow from it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.overrides import TorchFunctionMode

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published, sha256, write_text
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.folder_config import FORMAT, read_config
from sentiment_pipeline.models.sentiment import SentimentModel

__all__ = ["Weights", "build_model", "load_model", "load_weights", "save_model", "save_weights"]

Weights = Mapping[str, Tensor]


def save_weights(path: Path, weights: Weights) -> None:
    """Publish weights as a safetensors file.

    Args:
        path: the file.
        weights: tensors by name, on any device.
    """
    with published(path) as temporary:
        temporary.write_bytes(save({name: each.detach().cpu().contiguous() for name, each in weights.items()}))


def load_weights(path: Path) -> dict[str, Tensor]:
    """The weights of a safetensors file, by name, on the CPU.

    Raises:
        PipelineError: the file is missing, or not a safetensors file.
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
    """Publish weights and config in a folder; the config last, so that it never describes weights that are not there.

    Args:
        folder: the model folder.
        weights: the state dict of a `SentimentModel`.
        model: its config.
        vocabulary_size: number of ids, the two special ones included.
        more: further entries of the config, such as how texts become ids; JSON values.
    """
    save_weights(folder / layout.MODEL_WEIGHTS, weights)
    config = {
        "format": FORMAT,
        "model": asdict(model),
        "vocabulary_size": vocabulary_size,
        "weights_sha256": sha256(folder / layout.MODEL_WEIGHTS),
        **more,
    }
    write_text(folder / layout.MODEL_CONFIG, json.dumps(config, indent=1) + "\n")


def load_model(folder: Path) -> tuple[SentimentModel, dict[str, Any]]:
    """The model of a folder, on the CPU and in evaluation mode, and its config.

    Raises:
        PipelineError: a file is missing or damaged, or the two do not belong together.
    """
    config = read_config(folder / layout.MODEL_CONFIG)
    path = folder / layout.MODEL_WEIGHTS
    if not path.is_file() or sha256(path) != config["weights_sha256"]:
        raise PipelineError(f"{path} is missing, damaged or not of this {layout.MODEL_CONFIG}; publish the model again")
    model = build_model(ModelConfig(**config["model"]), config["vocabulary_size"], load_weights(path), str(path))
    return model, config


def build_model(config: ModelConfig, vocabulary_size: int, weights: Weights, where: str) -> SentimentModel:
    """A model with a copy of the given weights, in evaluation mode.

    A copy, because mapped weights need not be aligned, and then the last bit of a product can differ.

    Args:
        config: the config of the model.
        vocabulary_size: number of ids, the two special ones included.
        weights: its state dict.
        where: name of the weights in the error message.

    Raises:
        PipelineError: the weights do not have the names, shapes and dtypes of the model.
    """
    with torch.device("meta"), _NothingDrawn():  # takes no memory, however large the config says the model is
        model = SentimentModel(config, vocabulary_size)
    expected = {name: (each.shape, each.dtype) for name, each in model.state_dict().items()}
    if expected != {name: (each.shape, each.dtype) for name, each in weights.items()}:
        raise PipelineError(f"{where} does not fit its config: other weights, shapes or types than the model has")
    model.load_state_dict({name: each.clone() for name, each in weights.items()}, assign=True)
    return model.eval()


class _NothingDrawn(TorchFunctionMode):
    """Draws no initial weights. On the meta device there are none, but PyTorch would import its compiler to draw them.

    That takes a second, a third of the time to the first answer.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in (Tensor.normal_, Tensor.uniform_) or getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
