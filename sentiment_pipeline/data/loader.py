"""The loader: yields the batches of all epochs, and can resume at any batch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from sentiment_pipeline.data.batches import Batch, assemble
from sentiment_pipeline.data.order import Order
from sentiment_pipeline.data.packed import Array, PackedReviews
from sentiment_pipeline.data.truncation import Truncation
from sentiment_pipeline.engine.workers import hidden_main
from sentiment_pipeline.errors import PipelineError

__all__ = ["Loader"]


class Loader:
    """Yields the batches of all epochs one after another, and can resume at any batch.

    The position counts the batches that were yielded, not those that workers have read ahead, so a state saved
    between two batches resumes at the very next one, with any number of workers.

    Args:
        reviews: all reviews of the split.
        truncation: how they are truncated and padded.
        batch_size: reviews in a global batch, over all ranks together.
        seed: seed of the order of the reviews.
        epochs: number of passes over the reviews.
        workers: processes that assemble batches; 0 assembles them in this process.
        pin: whether to pin batches in memory, for copies to a GPU.
        rank: the index of this training process.
        ranks: number of training processes.
        old, replay: as for `Order`.

    Attributes:
        order: the order of the reviews.
        epoch: index of the epoch of the next batch.
        batch: index of the next batch in its epoch.
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
        old: int = 0,
        replay: float = 1.0,
    ) -> None:
        lengths = reviews.lengths if truncation.padding == "right" else None
        self.order = Order(len(reviews), batch_size, seed, lengths, truncation.length, old, replay)
        self.reviews, self.truncation, self.epochs = reviews, truncation, epochs
        self.workers, self.pin, self.rank, self.ranks = workers, pin, rank, ranks
        self.epoch = self.batch = 0

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches from the present position to the end of the last epoch.

        Raises:
            PipelineError: the worker processes ended too early.
        """
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
        """The position: `epoch` and `batch`."""
        return {"epoch": self.epoch, "batch": self.batch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume at the batch after the last one that was yielded; takes effect at the next `iter`."""
        self.epoch, self.batch = state["epoch"], state["batch"]


@dataclass(eq=False)
class _BatchStream(IterableDataset[Batch]):
    """This process's part of every global batch from a position on, through all epochs that follow.

    Process r of R takes every R-th review of a global batch, starting with the r-th, so that the parts are of similar
    length; worker w of W of a loader assembles every W-th batch. Neither changes what a global batch holds.
    """

    reviews: PackedReviews
    order: Order
    truncation: Truncation
    epochs: int
    epoch: int
    batch: int
    rank: int
    ranks: int

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        index, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        for count, rows in enumerate(self._rows()):
            if count % workers == index:
                yield assemble(self.reviews, rows[self.rank :: self.ranks], len(rows), self.truncation)

    def _rows(self) -> Iterator[Array]:
        for epoch in range(self.epoch, self.epochs):
            yield from self.order.rows(epoch, self.batch if epoch == self.epoch else 0)
