"""The figures of a training run: means over the training steps since the last ones.

Sums stay on the device and are read only when figures are due, because reading one waits for the GPU.
"""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

__all__ = ["Meter"]


class Meter:
    """Sums over steps.

    Attributes:
        sums: loss and right answers over this process's reviews, and gradient norms over steps; float64, [3].
        reviews: in the global batches.
        tokens: in this process's parts.
        seconds: that the steps took.
        waited: seconds of those in which no batch was there.
    """

    def __init__(self, device: torch.device) -> None:
        self.sums = torch.zeros(3, dtype=torch.float64, device=device)
        self.steps = self.reviews = self.tokens = 0
        self.seconds = self.waited = 0.0
        self._clock = time.perf_counter()

    def add(self, loss: Tensor, right: Tensor, norm: Tensor, reviews: int, tokens: int) -> None:
        """Count a step, without reading any of its tensors."""
        self.sums += torch.stack([loss, right, norm]).double()
        self.steps, self.reviews, self.tokens = self.steps + 1, self.reviews + reviews, self.tokens + tokens

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time spent inside is not the steps'."""
        self._stop_clock()
        yield
        self._clock = time.perf_counter()

    def _stop_clock(self) -> None:
        now = time.perf_counter()
        self.seconds, self._clock = self.seconds + now - self._clock, now

    def figures(self, totals: list[float], ranks: int) -> dict[str, float]:
        """Means and rates.

        Args:
            totals: `sums`, then `tokens`, summed over all processes.
        """
        self._stop_clock()  # after the totals were read, when the GPU has done the steps too
        loss, right, norm, tokens = totals
        return {
            "loss": loss / self.reviews,
            "accuracy": right / self.reviews,
            "gradient_norm": norm / ranks / self.steps,
            "reviews_per_s": self.reviews / self.seconds,
            "tokens_per_s": tokens / self.seconds,
            "data_wait": self.waited / self.seconds,
            "memory_bytes": _peak_memory(self.sums.device),
        }


def _peak_memory(device: torch.device) -> int:
    """The most memory held so far, in bytes: of the GPU by tensors, or of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
