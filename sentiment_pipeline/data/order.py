"""Which reviews come when: a function of the seed and the epoch alone.

A permutation of all reviews would need memory that grows with them, and would read the files one page a review. So
the reviews are shuffled in two steps: blocks of neighbours are permuted, and the reviews of a window of blocks are
permuted among themselves. Reviews of similar length are then gathered into batches inside small pools of the window,
so that little of a batch is padding, and the pool's batches are permuted again. A window is planned from its own
generator, so that any batch of any epoch is found without going through those before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sentiment_pipeline.data.packed import Array

__all__ = ["Order"]

_BLOCK = 256  # neighbouring reviews that stay in one window
_WINDOW = 1 << 18  # reviews shuffled among themselves
_POOL = 128  # batches whose reviews are sorted by length


@dataclass(frozen=True)
class Order:
    """The order of `reviews` reviews in batches of `batch_size`, a new one each epoch.

    Attributes:
        lengths: what "similar length" goes by, [reviews]; None leaves each batch a random sample.
        longest: lengths beyond this count as equal.
    """

    reviews: int
    batch_size: int
    seed: int
    lengths: Array | None
    longest: int

    @property
    def batches(self) -> int:
        """Batches of an epoch; the last one may be smaller."""
        return -(-self.reviews // self.batch_size)

    @property
    def window(self) -> int:
        """Batches planned at a time."""
        return max(1, _WINDOW // self.batch_size)

    def rows(self, epoch: int, batch: int) -> Iterator[Array]:
        """The review numbers of each batch of `epoch` from number `batch` on, int64, [batch_size] but for the last."""
        if batch >= self.batches:
            return
        sizes, starts = self._blocks(epoch)
        for window in range(batch // self.window, -(-self.batches // self.window)):
            batches = self._plan_window(epoch, window, sizes, starts)
            yield from batches[max(0, batch - window * self.window) :]

    def _blocks(self, epoch: int) -> tuple[Array, Array]:
        """The blocks in this epoch's order: how many reviews each has, and which is its first.

        Where blocks begin moves from epoch to epoch, so that no two reviews are neighbours for ever.
        """
        generator = self._generator(epoch, 0)
        edges = np.arange(generator.integers(_BLOCK), self.reviews + _BLOCK, _BLOCK)
        edges = np.unique(np.concatenate([[0], edges.clip(max=self.reviews)]))
        order = generator.permutation(len(edges) - 1)
        return np.diff(edges)[order], edges[:-1][order]

    def _plan_window(self, epoch: int, window: int, sizes: Array, starts: Array) -> list[Array]:
        """The batches of one window, in order."""
        first, count = window * self.window * self.batch_size, self.window * self.batch_size
        generator = self._generator(epoch, 1 + window)
        rows = generator.permutation(_rows_between(sizes, starts, first, min(first + count, self.reviews)))
        whole = len(rows) // self.batch_size * self.batch_size
        batches = list(self._pooled(rows[:whole], generator))
        return batches if whole == len(rows) else [*batches, rows[whole:]]

    def _pooled(self, rows: Array, generator: np.random.Generator) -> Iterator[Array]:
        """`rows` in whole batches, of similar length if that matters."""
        if self.lengths is None:
            yield from rows.reshape(-1, self.batch_size)
            return
        for start in range(0, len(rows), _POOL * self.batch_size):
            pool = rows[start : start + _POOL * self.batch_size]
            by_length = np.argsort(self.lengths[pool].clip(max=self.longest), kind="stable")
            batches = pool[by_length].reshape(-1, self.batch_size)
            yield from batches[generator.permutation(len(batches))]

    def _generator(self, epoch: int, stream: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(epoch, stream)))


def _rows_between(sizes: Array, starts: Array, first: int, last: int) -> Array:
    """The reviews at positions `first` to `last` of the blocks laid end to end, int64, [last - first]."""
    ends = np.cumsum(sizes)
    low, high = np.searchsorted(ends, first, side="right"), np.searchsorted(ends, last, side="left") + 1
    sizes, starts, begins = sizes[low:high], starts[low:high], (ends - sizes)[low:high]
    positions = np.arange(begins[0], begins[-1] + sizes[-1])
    rows = positions + np.repeat(starts - begins, sizes)
    return rows[first - begins[0] : last - begins[0]]
