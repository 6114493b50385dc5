"""Batches of reviews, gathered from the memory-mapped files.

No Python code runs per review: a batch is one indexing operation over the flat ids of all reviews. Ids, lengths and
labels of a batch share one buffer, so that a batch is pinned once and copied to the GPU once. Ids are time-major, the
layout in which cuDNN and oneDNN run an LSTM without transposing.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sentiment_pipeline.data.packed import Array, PackedReviews
from sentiment_pipeline.data.truncation import Truncation

__all__ = ["Batch", "assemble", "gather_ids"]


@dataclass(frozen=True)
class Batch:
    """One process's part of a global batch.

    Attributes:
        buffer: int32; the ids [time, reviews] flattened, then lengths, labels and rows, each [reviews].
        time: number of time steps.
        reviews: number of reviews in this part; 0 if the global batch has fewer reviews than there are processes.
        total: number of reviews in the global batch.
        tokens: number of tokens in this part, without padding.
    """

    buffer: Tensor
    time: int
    reviews: int
    total: int
    tokens: int

    @property
    def ids(self) -> Tensor:
        """Token ids, int32, [time, reviews]; 0 for padding."""
        return self.buffer[: self.time * self.reviews].view(self.time, self.reviews)

    @property
    def lengths(self) -> Tensor:
        """The number of tokens of each review in `ids`, int32, [reviews]."""
        return self.buffer[self.time * self.reviews :][: self.reviews]

    @property
    def labels(self) -> Tensor:
        """0 negative, 1 positive; int32, [reviews]."""
        return self.buffer[(self.time + 1) * self.reviews :][: self.reviews]

    @property
    def rows(self) -> Tensor:
        """The indices of the reviews in their split, int32, [reviews]."""
        return self.buffer[(self.time + 2) * self.reviews :]

    def __reduce__(self) -> tuple[Any, ...]:
        # As an array it goes through a pipe; as a tensor it would need shared memory, which containers have little of.
        return _batch_of_array, (self.buffer.numpy(), self.time, self.reviews, self.total, self.tokens)

    def pin_memory(self) -> "Batch":
        """A copy in pinned memory; PyTorch's loader calls this."""
        return replace(self, buffer=self.buffer.pin_memory())

    def to(self, device: torch.device) -> "Batch":
        """A copy on `device`; asynchronous if the batch is pinned."""
        return replace(self, buffer=self.buffer.to(device, non_blocking=True))


def gather_ids(ids: Array, offsets: Array, rows: Array, truncation: Truncation) -> tuple[Array, Array]:
    """The token ids of some reviews, truncated and padded.

    Args:
        ids: token ids of all reviews, one review after another; any integer type, [tokens].
        offsets: where each review begins, and the end of the last one; int64, [all reviews + 1].
        rows: the indices of the wanted reviews; int64, [reviews].
        truncation: how to truncate and pad them.

    Returns:
        The ids, int32, [time, reviews], 0 for padding; `time` is `truncation.length` for padding on the left, otherwise
        the most tokens kept of a review. And the number of tokens kept of each review, int64, [reviews].

    Two reviews of five and two tokens; at most four tokens of each are kept, one of them from the end. A column is a
    review:

    >>> flat, offsets = np.array([11, 12, 13, 14, 15, 21, 22]), np.array([0, 5, 7])
    >>> ids, kept = gather_ids(flat, offsets, np.array([0, 1]), Truncation(length=4, tail=1, padding="right"))
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
    """Gather a batch from the mapped files.

    Args:
        reviews: all reviews of the split.
        rows: the indices of the batch's reviews; int64, [reviews].
        total: number of reviews in the global batch that they are part of.
        truncation: how they are truncated and padded.
    """
    ids, kept = gather_ids(reviews.ids, reviews.offsets, rows, truncation)
    buffer = np.concatenate([ids.ravel(), kept, reviews.labels[rows], rows], dtype=np.int32, casting="same_kind")
    return Batch(torch.from_numpy(buffer), len(ids), len(rows), total, int(kept.sum()))


def _batch_of_array(buffer: Array, *sizes: int) -> Batch:
    return Batch(torch.from_numpy(buffer), *sizes)
