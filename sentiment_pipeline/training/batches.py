"""Whole batches, cut out of the mapped files in one gather, and a loader that can be taken up at any batch.

No Python runs for a review: a batch is one indexing operation over the flat ids. Ids, lengths and labels of a batch
lie in one buffer, so that a batch is pinned once and copied to the GPU once. Ids are time-major, the layout in which
cuDNN and oneDNN run an LSTM without transposing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from sentiment_pipeline.training.config import ModelConfig
from sentiment_pipeline.training.order import Order
from sentiment_pipeline.training.packed import Array, PackedReviews


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
        return self.buffer[:self.time * self.reviews].view(self.time, self.reviews)

    @property
    def lengths(self) -> Tensor:
        """Tokens of each review that are in `ids`, [reviews]."""
        return self.buffer[self.time * self.reviews:][:self.reviews]

    @property
    def labels(self) -> Tensor:
        """[reviews]"""
        return self.buffer[(self.time + 1) * self.reviews:][:self.reviews]

    @property
    def rows(self) -> Tensor:
        """The reviews' numbers in their split, [reviews]."""
        return self.buffer[(self.time + 2) * self.reviews:]

    def pin_memory(self) -> "Batch":
        return replace(self, buffer=self.buffer.pin_memory())

    def to(self, device: torch.device) -> "Batch":
        return replace(self, buffer=self.buffer.to(device, non_blocking=True))


def cut(ids: Array, offsets: Array, rows: Array, model: ModelConfig, length: int) -> tuple[Array, Array]:
    """The token ids of the reviews `rows`, cut to `length` and padded as the model reads them.

    Of a longer review the first tokens are kept, but for the last `model.tail`, which are taken from its end.

    Returns:
        ids: int32, [time, reviews], 0 for padding; `time` is `length` for left padding, else the longest kept.
        kept: tokens of each review that were kept, int64, [reviews].
    """
    starts = offsets[rows]
    lengths = offsets[rows + 1] - starts
    kept = np.minimum(lengths, length)
    if model.padding == "left":
        place = np.arange(length)[:, None] - (length - kept)  # in the kept tokens, [time, reviews]
        real = place >= 0
    else:
        place = np.arange(max(1, kept.max(initial=0)))[:, None]
        real = place < kept
    skipped = np.where(place >= length - model.tail, lengths - kept, 0) if model.tail else 0
    if not len(ids):
        return np.zeros(real.shape, np.int32), kept
    return ids.take(starts + place + skipped, mode="clip").astype(np.int32) * real, kept


def assemble(reviews: PackedReviews, rows: Array, total: int, model: ModelConfig, length: int) -> Batch:
    """The batch of the reviews `rows`, cut to `length` tokens; part of a global batch of `total`."""
    ids, kept = cut(reviews.ids, reviews.offsets, rows, model, length)
    buffer = np.concatenate([ids.ravel(), kept, reviews.labels[rows], rows], dtype=np.int32, casting="same_kind")
    return Batch(torch.from_numpy(buffer), len(ids), len(rows), total, int(kept.sum()))


class BatchStream(IterableDataset[Batch]):
    """This process's part of every global batch from a position on, through all epochs that follow.

    Process r of R takes every R-th review of a global batch, from the r-th on, so that parts are of similar length;
    a loader's worker w of W assembles every W-th batch. Neither changes what a global batch holds.
    """

    def __init__(self, reviews: PackedReviews, order: Order, model: ModelConfig, epochs: int,
                 epoch: int, batch: int, rank: int, ranks: int) -> None:
        self.reviews, self.order, self.model = reviews, order, model
        self.epochs, self.epoch, self.batch = epochs, epoch, batch
        self.rank, self.ranks = rank, ranks

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        for count, rows in enumerate(self.rows()):
            if count % workers == number:
                yield assemble(self.reviews, rows[self.rank::self.ranks], len(rows), self.model, self.model.length)

    def rows(self) -> Iterator[Array]:
        for epoch in range(self.epoch, self.epochs):
            yield from self.order.rows(epoch, self.batch if epoch == self.epoch else 0)


class Loader:
    """Gives the batches of all epochs one after another, and knows where it is.

    The position counts what was given out, not what workers have read ahead, so a state saved between two batches
    goes on at the very next one, with whatever number of workers.
    """

    def __init__(self, reviews: PackedReviews, model: ModelConfig, batch_size: int, seed: int, epochs: int,
                 workers: int, pin: bool, rank: int = 0, ranks: int = 1) -> None:
        lengths = reviews.lengths if model.padding == "right" else None
        self.order = Order(len(reviews), batch_size, seed, lengths, model.length)
        self.reviews, self.model, self.epochs = reviews, model, epochs
        self.workers, self.pin, self.rank, self.ranks = workers, pin, rank, ranks
        self.epoch = self.batch = 0

    def __iter__(self) -> Iterator[Batch]:
        stream = BatchStream(self.reviews, self.order, self.model, self.epochs, self.epoch, self.batch,
                             self.rank, self.ranks)
        # Forked, a worker would inherit locks and exit handlers of threads that it does not have: Polars', Prefect's.
        start = "spawn" if self.workers else None
        for batch in DataLoader(stream, batch_size=None, num_workers=self.workers, pin_memory=self.pin,
                                multiprocessing_context=start):
            self.batch += 1
            if self.batch == self.order.batches:
                self.epoch, self.batch = self.epoch + 1, 0
            yield batch

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "batch": self.batch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on at the batch after the last one given out; takes effect at the next `iter`."""
        self.epoch, self.batch = state["epoch"], state["batch"]
