"""The order of the reviews: a function of the seed and the epoch alone.

A permutation of all reviews would need memory that grows with them, and would read the files one page per review. So
the reviews are shuffled in two steps: blocks of neighbours are permuted, then the reviews of a window of blocks are
permuted among themselves. Inside a window, reviews of similar length are gathered into batches within small pools, so
that little of a batch is padding, and the batches of a pool are permuted again. Each window is planned with its own
random generator, so any batch of any epoch is found without planning those before its window.
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
    """The order of the reviews, in batches; a different one in each epoch.

    Any batch can be reached directly: `rows(epoch, batch)` plans only the windows from that batch on.

    Attributes:
        reviews: number of reviews.
        batch_size: number of reviews in a batch; the last batch of an epoch may be smaller.
        seed: seed of all epochs.
        lengths: number of tokens of each review, int32, [reviews], to batch reviews of similar length; None makes each
            batch a random sample of its window.
        longest: greater lengths count as this one, because reviews are truncated to it.
        old: number of reviews, the first ones, of which an epoch reads only a share, another one each time.
        replay: that share.
    """

    reviews: int
    batch_size: int
    seed: int
    lengths: Array | None
    longest: int
    old: int = 0
    replay: float = 1.0

    @property
    def batches(self) -> int:
        """Number of batches in an epoch; the last one may be smaller."""
        return -(-self._read // self.batch_size)

    @property
    def _replayed(self) -> int:
        """Number of old reviews in an epoch."""
        return round(self.replay * self.old)

    @property
    def _read(self) -> int:
        """Number of reviews in an epoch."""
        return self._replayed + self.reviews - self.old

    @property
    def _batches_per_window(self) -> int:
        return max(1, _WINDOW // self.batch_size)

    def rows(self, epoch: int, batch: int) -> Iterator[Array]:
        """Yield the indices of the reviews of each batch of an epoch; int64, [batch_size], the last may be shorter.

        Args:
            epoch: index of the epoch.
            batch: index of the first batch to yield.
        """
        if batch >= self.batches:
            return
        sizes, starts = self._blocks(epoch)
        for window in range(batch // self._batches_per_window, -(-self.batches // self._batches_per_window)):
            batches = self._plan_window(epoch, window, sizes, starts)
            yield from batches[max(0, batch - window * self._batches_per_window) :]

    def _blocks(self, epoch: int) -> tuple[Array, Array]:
        """The blocks in the order of an epoch: the number of reviews and the first review of each; int64, [blocks].

        The edges of the blocks move from epoch to epoch, so that no two reviews stay neighbours.
        """
        generator = self._generator(epoch, 0)
        sizes, starts = _blocks_between(self.old, self.reviews, generator)
        if self._replayed:
            old_sizes, old_starts = _blocks_between(0, self.old, generator)
            drawn = generator.permutation(len(old_sizes))
            ends = np.cumsum(old_sizes[drawn])
            drawn = drawn[: np.searchsorted(ends, self._replayed) + 1]
            old_sizes = old_sizes[drawn]
            old_sizes[-1] -= ends[len(drawn) - 1] - self._replayed
            sizes, starts = np.concatenate([old_sizes, sizes]), np.concatenate([old_starts[drawn], starts])
        order = generator.permutation(len(sizes))
        return sizes[order], starts[order]

    def _plan_window(self, epoch: int, window: int, sizes: Array, starts: Array) -> list[Array]:
        """The batches of one window, in order; int64, each [batch_size], the last may be shorter.

        Args:
            epoch: index of the epoch.
            window: index of the window in the epoch.
            sizes, starts: what `_blocks` returned for the epoch.

        Seven reviews fit into one window. Batches of two hold reviews of similar length, in random order; the review
        that is left over makes the last, smaller batch:

        >>> lengths = np.array([5, 1, 9, 4, 2, 8, 7])
        >>> order = Order(reviews=7, batch_size=2, seed=0, lengths=lengths, longest=400)
        >>> batches = order._plan_window(0, 0, *order._blocks(epoch=0))
        >>> [rows.tolist() for rows in batches]
        [[1, 4], [6, 2], [3, 0], [5]]
        >>> [lengths[rows].tolist() for rows in batches]
        [[1, 2], [7, 9], [4, 5], [8]]
        """
        count = self._batches_per_window * self.batch_size
        first = window * count
        generator = self._generator(epoch, 1 + window)
        rows = generator.permutation(_rows_between(sizes, starts, first, min(first + count, self._read)))
        full = len(rows) // self.batch_size * self.batch_size
        batches = list(self._pooled(rows[:full], generator))
        return batches if full == len(rows) else [*batches, rows[full:]]

    def _pooled(self, rows: Array, generator: np.random.Generator) -> Iterator[Array]:
        """`rows` in full batches, of reviews of similar length if lengths are given."""
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


def _blocks_between(first: int, last: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """The number of reviews and the first review of the blocks of reviews `first` to `last`; int64, [blocks]."""
    edges = first + np.arange(generator.integers(_BLOCK), last - first + _BLOCK, _BLOCK)
    edges = np.unique(np.concatenate([[first], edges.clip(max=last)]))
    return np.diff(edges), edges[:-1]


def _rows_between(sizes: Array, starts: Array, first: int, last: int) -> Array:
    """The reviews at positions `first` to `last` of the blocks laid end to end, int64, [last - first]."""
    ends = np.cumsum(sizes)
    low, high = np.searchsorted(ends, first, side="right"), np.searchsorted(ends, last, side="left") + 1
    sizes, starts, begins = sizes[low:high], starts[low:high], (ends - sizes)[low:high]
    positions = np.arange(begins[0], begins[-1] + sizes[-1])
    rows = positions + np.repeat(starts - begins, sizes)
    return rows[first - begins[0] : last - begins[0]]
