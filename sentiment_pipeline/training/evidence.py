"""What each n-gram of a review says by itself, as further inputs of the LSTM.

For n-grams of every length the naive Bayes log-count ratio of the one that ends at a word (Wang and Manning, ACL
2012) goes into the LSTM beside the word's vector. So phrases such as "not worth" are known from the first step on,
and the LSTM learns what to make of them in their context. N-grams are hashed to a fixed number of ratios.

A review must not meet its own label in its inputs: while training, its ratios are counted on the other folds of the
training reviews alone. Counts are whole numbers, so the ratios are the same wherever and in whatever order they are
counted, and a run that goes on from a checkpoint counts them again.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.packed import PackedReviews

MULTIPLIER = 0x2545F4914F6CDD1D  # of Marsaglia's xorshift64*; any large odd number mixes as well
SMOOTHING = 1.0  # added to every count
PIECE = 1 << 13  # reviews counted at a time


class Evidence(nn.Module):
    """The ratios of n-grams of 1 to `longest` words, hashed to `buckets` places."""

    ratios: Tensor

    def __init__(self, longest: int, buckets: int) -> None:
        super().__init__()
        self.longest = longest
        self.register_buffer("ratios", torch.zeros(buckets))

    def forward(self, ids: Tensor, place: Tensor) -> Tensor:
        """The ratios of the n-grams that end at each word, float32, [time, reviews, longest]; see `hashed`."""
        return self.ratios[hashed(ids, place, self.longest, len(self.ratios))]


@dataclass(frozen=True)
class CrossFitted:
    """The ratios for training, of which each review gets those counted without its fold.

    Attributes:
        ratios: float32, [folds, buckets].
        longest: words of the longest n-grams.
    """

    ratios: Tensor
    longest: int

    def evidence(self, ids: Tensor, place: Tensor, rows: Tensor) -> Tensor:
        """As `Evidence.forward`, for the training reviews with the numbers `rows`, [reviews]."""
        folds, buckets = self.ratios.shape
        fold = (rows % folds)[:, None] * buckets
        return self.ratios.flatten()[hashed(ids, place, self.longest, buckets) + fold]


def hashed(ids: Tensor, place: Tensor, longest: int, buckets: int) -> Tensor:
    """The buckets of the n-grams of 1 to `longest` words that end at each word.

    Args:
        ids: token ids, [time, ...].
        place: of each word in its review, from 0 on, of the same shape; negative for what is no word.

    Returns:
        int64, [time, ..., longest]; 0 where an n-gram would begin before its review.
    """
    code, found = torch.zeros_like(ids, dtype=torch.int64), []
    for size in range(longest):
        code = (code.roll(1, 0) + ids + 1) * MULTIPLIER
        code = code ^ (code >> 29)
        found.append(torch.where(place >= size, 1 + code.remainder(buckets - 1), 0))
    return torch.stack(found, dim=-1)


def distinct(buckets: Tensor) -> Tensor:
    """Each row sorted, with 0 in place of all but the first of equal buckets."""
    ordered = buckets.sort(dim=-1).values
    again = torch.zeros_like(ordered, dtype=torch.bool)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    return ordered.masked_fill(again, 0)


def fit(evidence: Evidence, reviews: PackedReviews, folds: int, ranks: Ranks,
        check: Callable[[], None] = lambda: None) -> CrossFitted:
    """Count the n-grams of the training reviews, and set the ratios by them.

    Args:
        ranks: several processes count a part each.
        check: called now and then; what it raises ends the work.
    """
    counts = count(reviews, evidence, folds, ranks, check)
    total = counts.sum(0)
    evidence.ratios.copy_(log_ratios(total))
    return CrossFitted(torch.stack([log_ratios(total - counts[fold]) for fold in range(folds)]), evidence.longest)


def count(reviews: PackedReviews, evidence: Evidence, folds: int, ranks: Ranks, check: Callable[[], None]) -> Tensor:
    """How many reviews of each fold and label hold each bucket's n-grams, int32, [folds, 2, buckets]."""
    buckets, device = len(evidence.ratios), evidence.ratios.device
    counts = torch.zeros(folds * 2 * buckets, dtype=torch.int32, device=device)
    for start in range(ranks.rank * PIECE, len(reviews), ranks.size * PIECE):
        check()
        offsets = reviews.offsets[start:start + PIECE + 1]
        rows = np.arange(start, start + len(offsets) - 1)
        of_words = (
            reviews.ids[offsets[0]:offsets[-1]].astype(np.int64),
            np.arange(offsets[0], offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets)),  # place in the review
            np.repeat(rows - start, np.diff(offsets)),
        )
        ids, place, review = (torch.from_numpy(each).to(device) for each in of_words)
        found = (hashed(ids, place, evidence.longest, buckets) + review[:, None] * buckets).unique()
        group = torch.from_numpy(rows % folds * 2 + reviews.labels[rows]).to(device)
        found = found % buckets + group[found // buckets] * buckets
        counts.index_add_(0, found, torch.ones(len(found), dtype=torch.int32, device=device))
    counts = ranks.total(counts).view(folds, 2, buckets)
    counts[:, :, 0] = 0  # what would have begun before its review
    return counts


def log_ratios(counts: Tensor) -> Tensor:
    """log p(n-gram | positive) - log p(n-gram | negative), smoothed; 0 for what one review has; float32, [buckets].

    Args:
        counts: of each bucket in negative and in positive reviews, [2, buckets].
    """
    smooth = counts.double() + SMOOTHING
    shares = smooth / smooth.sum(1, keepdim=True)
    return (shares[1].log() - shares[0].log()).masked_fill(counts.sum(0) < 2, 0).float()
