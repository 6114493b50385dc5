"""The figures of training steps: means and rates over the steps since the last figures.

Sums stay on the device and are read only when figures are due, because reading one waits for the GPU.
"""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from sentiment_pipeline.training.distributed import Ranks

__all__ = ["Meter"]


class Meter:
    """Sums over training steps.

    Args:
        device: the device of the sums.
        ranks: the processes that train together.

    Attributes:
        sums: loss and correct answers, summed over this process's reviews, and the gradient's norm, summed over steps;
            float64, [3].
        steps: number of steps.
        reviews: number of reviews in the global batches.
        tokens: number of tokens in this process's parts.
        seconds: duration of the steps, up to the last pause or figures.
        waited: seconds of these in which the step waited for its batch.
    """

    def __init__(self, device: torch.device, ranks: Ranks) -> None:
        self.ranks = ranks
        self.sums = torch.zeros(3, dtype=torch.float64, device=device)
        self.steps = self.reviews = self.tokens = 0
        self.seconds = self.waited = 0.0
        self._clock = time.perf_counter()

    def add(self, loss: Tensor, correct: Tensor, norm: Tensor, reviews: int, tokens: int) -> None:
        """Count a step, without reading any of its tensors.

        Args:
            loss: sum of the losses of this process's reviews, scalar.
            correct: number of correct answers among them, scalar.
            norm: norm of the gradient, scalar.
            reviews: number of reviews in the global batch.
            tokens: number of tokens in this process's part.
        """
        self.sums += torch.stack([loss, correct, norm]).double()
        self.steps, self.reviews, self.tokens = self.steps + 1, self.reviews + reviews, self.tokens + tokens

    @contextmanager
    def paused(self) -> Iterator[None]:
        """A context whose duration does not count."""
        self._stop_clock()
        yield
        self._clock = time.perf_counter()

    def _stop_clock(self) -> None:
        now = time.perf_counter()
        self.seconds, self._clock = self.seconds + now - self._clock, now

    def totals(self) -> list[float]:
        """The three `sums`, then `tokens`, summed over all processes."""
        own = torch.cat([self.sums, self.sums.new_tensor([self.tokens])])
        totals: list[float] = self.ranks.all_reduce(own).tolist()
        return totals

    def figures(self, totals: list[float]) -> dict[str, float]:
        """Means over the reviews and steps, rates over all processes, and the peak memory of this one.

        Args:
            totals: as `totals` returned them.

        Returns:
            `loss`, `accuracy`, `gradient_norm`, `reviews_per_s`, `tokens_per_s`, `data_wait` (the fraction of time that
            was spent waiting for data) and `memory_bytes`.
        """
        self._stop_clock()  # after the totals were read, when the GPU has finished the steps
        loss, correct, norm, tokens = totals
        return {
            "loss": loss / self.reviews,
            "accuracy": correct / self.reviews,
            "gradient_norm": norm / self.ranks.size / self.steps,
            "reviews_per_s": self.reviews / self.seconds,
            "tokens_per_s": tokens / self.seconds,
            "data_wait": self.waited / self.seconds,
            "memory_bytes": _peak_memory(self.sums.device),
        }


def _peak_memory(device: torch.device) -> int:
    """The peak memory in bytes: that of tensors on a GPU, otherwise that of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
