"""Checks of a saved state before a run resumes from it.

The hash of a checkpoint shows that it is complete, not that this program made it. PyTorch notices only some wrong
states, and some of them only when they are used.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from sentiment_pipeline.training.meter import Meter

__all__ = ["Progress", "load_optimizer", "load_progress"]


@dataclass
class Progress:
    """How far a run is; part of each checkpoint.

    Attributes:
        step: number of training steps so far.
        validated: number of training steps before the last validation.
        reviews: number of reviews in these steps, over all processes.
        tokens: number of tokens in these steps, over all processes.
        seconds: duration of these steps, including those in earlier, killed processes.
        waited: seconds of these in which the step waited for its batch.
    """

    step: int = 0
    validated: int = 0
    reviews: int = 0
    tokens: int = 0
    seconds: float = 0.0
    waited: float = 0.0

    def plus(self, meter: Meter, tokens: int) -> "Progress":
        """The progress with the steps that a meter counted.

        Args:
            meter: the meter of this process.
            tokens: number of tokens in its steps, over all processes.
        """
        if not meter.steps:
            return self
        return replace(
            self,
            seconds=self.seconds + meter.seconds,
            waited=self.waited + meter.waited,
            reviews=self.reviews + meter.reviews,
            tokens=self.tokens + tokens,
        )

    def rates(self) -> dict[str, float]:
        """`reviews_per_s`, `tokens_per_s`, `seconds`, and `data_wait`, the fraction of time spent waiting for data."""
        seconds = max(self.seconds, 1e-9)
        return {
            "reviews_per_s": self.reviews / seconds,
            "tokens_per_s": self.tokens / seconds,
            "seconds": seconds,
            "data_wait": self.waited / seconds,
        }


def load_progress(state: Mapping[str, Any], steps: int, batches: int) -> Progress:
    """The progress in the state of a checkpoint.

    Args:
        state: the state.
        steps: number of training steps of the whole run.
        batches: number of batches in an epoch.

    Raises:
        KeyError, TypeError, ValueError: no run of this program with these numbers saved it.
    """
    progress, loader, best = Progress(**state["progress"]), state["loader"], state["best"]["metrics"]
    numbers = {**asdict(progress), **loader}
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


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load the state of a fused AdamW.

    Its kernel for the CPU checks no shapes. For a moment with fewer elements than its parameter it would write past the
    end of that tensor, which corrupts the heap and aborts the process at some later allocation.

    Raises:
        ValueError: the state belongs to other parameters, or to an optimizer of another kind.
    """
    types = _setting_types(optimizer)
    optimizer.load_state_dict(state)
    if types != _setting_types(optimizer):
        raise ValueError("its optimizer is of another kind")
    for parameter, values in optimizer.state.items():
        moment = (parameter.shape, parameter.stride())
        expected = {"step": ((), ()), "exp_avg": moment, "exp_avg_sq": moment}
        if {name: (each.shape, each.stride()) for name, each in values.items()} != expected:
            raise ValueError("its optimizer belongs to other parameters")


def _setting_types(optimizer: torch.optim.Optimizer) -> list[dict[str, type]]:
    """The type of each setting of each group of parameters."""
    return [{name: type(value) for name, value in group.items()} for group in optimizer.param_groups]
