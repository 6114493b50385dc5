"""What a saved state must hold to be resumed from.

The hash of a checkpoint shows that it is whole, not that this program has made it, and torch notices only some wrong
states, and some only when they are used. So a state is checked before a run resumes from it.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from sentiment_pipeline.models.evaluation import Metrics

__all__ = ["Progress", "load_optimizer", "progress_of", "require_same_shapes"]


@dataclass
class Progress:
    """How far a run is, in numbers that are saved with it.

    Attributes:
        validated: the last step after which it was validated.
        reviews, tokens, seconds: that all its steps took, also those of the killed processes before this one.
        waited: seconds of those in which no batch was there.
        best: the validation figures of the weights kept so far.
    """

    step: int = 0
    validated: int = 0
    reviews: int = 0
    tokens: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    best: Metrics = field(default_factory=dict)


def progress_of(state: Mapping[str, Any], steps: int, batches: int) -> Progress:
    """The progress in a checkpoint's state.

    Args:
        steps, batches: of the whole run, and of an epoch.

    Raises:
        KeyError, TypeError, ValueError: no such run has saved it.
    """
    progress, loader = Progress(**state["progress"]), state["loader"]
    numbers = {**asdict(progress), **loader}
    best = numbers.pop("best")
    if best:
        figures = {name: best[name] for name in ("step", "loss", "accuracy")}
        numbers |= {f"best {name}": value for name, value in figures.items() if value is not None}
        if best["reviews"] and best["loss"] is None:
            raise ValueError("its best loss is missing")
    for name, number in numbers.items():
        if type(number) not in (int, float) or not 0 <= number < math.inf:
            raise ValueError(f"its {name} is {number!r:.40}")
    if not progress.step == loader["epoch"] * batches + loader["batch"] <= steps or progress.validated > progress.step:
        raise ValueError("its progress is that of another run")
    if not all(type(line) is str for line in state["history"]):
        raise ValueError("its history is not made of lines")
    return progress


def require_same_shapes(weights: Mapping[str, Tensor], model: Mapping[str, Tensor]) -> None:
    """Raise ValueError if these are not weights of the model."""
    if {name: each.shape for name, each in weights.items()} != {name: each.shape for name, each in model.items()}:
        raise ValueError("its best weights are those of another model")


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load the state of a fused AdamW.

    Its kernel for the CPU checks no shapes: a moment with fewer elements than its parameter would have it write past
    the end of that tensor, which corrupts the heap and aborts the process at some later allocation.

    Raises:
        ValueError: it belongs to other parameters, or to an optimizer of another kind.
    """
    kinds = _setting_types(optimizer)
    optimizer.load_state_dict(state)
    if kinds != _setting_types(optimizer):
        raise ValueError("its optimizer is of another kind")
    for parameter, values in optimizer.state.items():
        moment = (parameter.shape, parameter.stride())
        expected = {"step": ((), ()), "exp_avg": moment, "exp_avg_sq": moment}
        if {name: (each.shape, each.stride()) for name, each in values.items()} != expected:
            raise ValueError("its optimizer belongs to other parameters")


def _setting_types(optimizer: torch.optim.Optimizer) -> list[dict[str, type]]:
    """The type of each setting of each group of parameters."""
    return [{name: type(value) for name, value in group.items()} for group in optimizer.param_groups]
