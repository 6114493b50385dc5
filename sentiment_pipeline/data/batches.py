"""Whole batches, cut out of the mapped files in one gather, and a loader that can be taken up at any batch.

No Python runs for a review: a batch is one indexing operation over the flat ids. Ids, lengths and labels of a batch
are in one buffer, so that a batch is pinned once and copied to the GPU once. Ids are time-major, the layout in which
cuDNN and oneDNN run an LSTM without transposing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from sentiment_pipeline.data.order import Order
from sentiment_pipeline.data.packed import Array, PackedReviews
from sentiment_pipeline.data.truncation import Truncation
from sentiment_pipeline.engine.workers import hidden_main
from sentiment_pipeline.errors import PipelineError

__all__ = ["Batch", "Loader", "assemble", "gather_ids"]


@dataclass(frozen=True)
class Batch:
    """One process's part of a global batch.

    Attributes:
        buffer: int32, the ids [time, reviews] flattened, then lengths, labels and rows, each [reviews].
        time: time steps.
        reviews: reviews in this part; 0 if the global batch has fewer reviews than there are processes.
        total: reviews in the global batch.
        tokens: tokens in this part, without padding.
    """

    buffer: Tensor
    time: int
    reviews: int
    total: int
    tokens: int

    @property
    def ids(self) -> Tensor:
        """[time, reviews]; 0 where a review has no token."""
        return self.buffer[: self.time * self.reviews].view(self.time, self.reviews)

    @property
    def lengths(self) -> Tensor:
        """Tokens of each review that are in `ids`, [reviews]."""
        return self.buffer[self.time * self.reviews :][: self.reviews]

    @property
    def labels(self) -> Tensor:
        """[reviews]"""
        return self.buffer[(self.time + 1) * self.reviews :][: self.reviews]

    @property
    def rows(self) -> Tensor:
        """The reviews' numbers in their split, [reviews]."""
        return self.buffer[(self.time + 2) * self.reviews :]

    def __reduce__(self) -> tuple[Any, ...]:
        # As an array it goes through a pipe; as a tensor it would need shared memory, which containers have little of.
        return _batch_of_array, (self.buffer.numpy(), self.time, self.reviews, self.total, self.tokens)

    def pin_memory(self) -> "Batch":
        return replace(self, buffer=self.buffer.pin_memory())

    def to(self, device: torch.device) -> "Batch":
        return replace(self, buffer=self.buffer.to(device, non_blocking=True))


def gather_ids(ids: Array, offsets: Array, rows: Array, truncation: Truncation) -> tuple[Array, Array]:
    """The token ids of the reviews `rows`, truncated and padded.

    Args:
        ids: token ids of all reviews, one after another, any integer type, [tokens].
        offsets: where each review begins, and the end of the last, int64, [all reviews + 1].
        rows: which reviews, [reviews].

    Returns:
        ids: int32, [time, reviews], 0 for padding; `time` is `length` for left padding, else the longest kept.
        kept: tokens of each review that were kept, int64, [reviews].

    Two reviews of five and two tokens, at most four tokens of each, one of them from the end; a column is a review:

    >>> ids, kept = gather_ids(np.array([11, 12, 13, 14, 15, 21, 22]), np.array([0, 5, 7]), np.array([0, 1]),
    ...                        Truncation(length=4, tail=1, padding="right"))
    >>> ids.T.tolist(), kept.tolist()
    ([[11, 12, 13, 15], [21, 22, 0, 0]], [4, 2])
    """
    length = truncation.length
    starts = offsets[rows]
    lengths = offsets[rows + 1] - starts
    kept = np.minimum(lengths, length)
    if truncation.padding == "left":
        position = np.arange(length)[:, None] - (length - kept)  # among the kept tokens, [time, reviews]
        is_token = position >= 0
    else:
        position = np.arange(max(1, kept.max(initial=0)))[:, None]
        is_token = position < kept
    skipped = np.where(position >= length - truncation.tail, lengths - kept, 0) if truncation.tail else 0
    if not len(ids):
        return np.zeros(is_token.shape, np.int32), kept
    return ids.take(starts + position + skipped, mode="clip").astype(np.int32) * is_token, kept


def assemble(reviews: PackedReviews, rows: Array, total: int, truncation: Truncation) -> Batch:
    """The batch of the reviews `rows`, which are part of a global batch of `total`."""
    ids, kept = gather_ids(reviews.ids, reviews.offsets, rows, truncation)
    buffer = np.concatenate([ids.ravel(), kept, reviews.labels[rows], rows], dtype=np.int32, casting="same_kind")
    return Batch(torch.from_numpy(buffer), len(ids), len(rows), total, int(kept.sum()))


def _batch_of_array(buffer: Array, *sizes: int) -> Batch:
    return Batch(torch.from_numpy(buffer), *sizes)


class _BatchStream(IterableDataset[Batch]):
    """This process's part of every global batch from a position on, through all epochs that follow.

    Process r of R takes every R-th review of a global batch, from the r-th on, so that parts are of similar length;
    a loader's worker w of W assembles every W-th batch. Neither changes what a global batch holds.
    """

    def __init__(
        self,
        reviews: PackedReviews,
        order: Order,
        truncation: Truncation,
        epochs: int,
        epoch: int,
        batch: int,
        rank: int,
        ranks: int,
    ) -> None:
        self.reviews, self.order, self.truncation = reviews, order, truncation
        self.epochs, self.epoch, self.batch = epochs, epoch, batch
        self.rank, self.ranks = rank, ranks

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        for count, rows in enumerate(self.rows()):
            if count % workers == number:
                yield assemble(self.reviews, rows[self.rank :: self.ranks], len(rows), self.truncation)

    def rows(self) -> Iterator[Array]:
        for epoch in range(self.epoch, self.epochs):
            yield from self.order.rows(epoch, self.batch if epoch == self.epoch else 0)


class Loader:
    """Yields the batches of all epochs one after another, and can resume at any batch.

    The position counts the batches that were yielded, not those that workers have read ahead, so a state saved
    between two batches resumes at the very next one, with any number of workers.

    Args:
        reviews: all reviews of the split.
        truncation: how they are cut and padded.
        batch_size: reviews in a global batch, over all ranks together.
        seed: of the order of the reviews.
        epochs: passes over the reviews.
        workers: processes that assemble batches; 0 assembles them in this process.
        pin: whether to pin batches in memory, for copies to a GPU.
        rank, ranks: which of how many training processes this is.
    """

    def __init__(
        self,
        reviews: PackedReviews,
        truncation: Truncation,
        batch_size: int,
        seed: int,
        epochs: int,
        workers: int,
        pin: bool,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        lengths = reviews.lengths if truncation.padding == "right" else None
        self.order = Order(len(reviews), batch_size, seed, lengths, truncation.length)
        self.reviews, self.truncation, self.epochs = reviews, truncation, epochs
        self.workers, self.pin, self.rank, self.ranks = workers, pin, rank, ranks
        self.epoch = self.batch = 0

    def __iter__(self) -> Iterator[Batch]:
        stream = _BatchStream(
            self.reviews, self.order, self.truncation, self.epochs, self.epoch, self.batch, self.rank, self.ranks
        )
        # Forked, a worker would inherit locks and exit handlers of threads that it does not have: Polars', Prefect's.
        start = "spawn" if self.workers else None
        loader = DataLoader(
            stream, batch_size=None, num_workers=self.workers, pin_memory=self.pin, multiprocessing_context=start
        )
        with hidden_main():
            batches = iter(loader)  # starts the processes
        for batch in batches:
            self.batch += 1
            if self.batch == self.order.batches:
                self.epoch, self.batch = self.epoch + 1, 0
            yield batch
        if self.epoch < self.epochs:
            raise PipelineError(
                "the loader processes ended before the last batch, probably because a temporary folder or /dev/shm is "
                "full; make room there, or set runtime.loader_workers to 0"
            )

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "batch": self.batch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume at the batch after the last one that was yielded; takes effect at the next `iter`."""
        self.epoch, self.batch = state["epoch"], state["batch"]
