"""How strongly each n-gram of a review speaks for a class, as further inputs of the LSTM.

For n-grams of every length, the naive Bayes log-count ratio of the one that ends at a word (Wang and Manning, ACL
2012) goes into the LSTM beside the word's vector. So phrases such as "not worth" are known from the first training
step on, and the LSTM learns what they mean in context. N-grams are hashed to a fixed number of buckets.

A review must not meet its own label in its inputs: while training, its ratios are those of the other folds of the
training reviews alone (`CrossFittedRatios`). `training.fits` counts them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["CrossFittedRatios", "NgramRatios", "distinct_buckets", "hash_ngrams"]

_MULTIPLIER = 0x2545F4914F6CDD1D  # of Marsaglia's xorshift64*; any large odd number mixes as well


class NgramRatios(nn.Module):
    """The log-count ratios of n-grams of 1 to `longest` words, hashed to `buckets`.

    Attributes:
        ratios: a buffer, float32, [buckets].
    """

    ratios: Tensor

    def __init__(self, longest: int, buckets: int) -> None:
        super().__init__()
        self.longest = longest
        self.register_buffer("ratios", torch.zeros(buckets))

    def forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        """The ratios of the n-grams that end at each word, float32, [time, reviews, longest]; see `hash_ngrams`."""
        return self.ratios[hash_ngrams(ids, positions, self.longest, len(self.ratios))]


@dataclass(frozen=True)
class CrossFittedRatios:
    """The ratios for training: each review gets those that were counted without its fold.

    Attributes:
        ratios: float32, [folds, buckets].
        longest: words of the longest n-grams.
    """

    ratios: Tensor
    longest: int

    def of_reviews(self, ids: Tensor, positions: Tensor, rows: Tensor) -> Tensor:
        """As `NgramRatios.forward`, for the training reviews with the numbers `rows`, [reviews]."""
        folds, buckets = self.ratios.shape
        fold = (rows % folds)[:, None] * buckets
        return self.ratios.flatten()[hash_ngrams(ids, positions, self.longest, buckets) + fold]


def hash_ngrams(ids: Tensor, positions: Tensor, longest: int, buckets: int) -> Tensor:
    """The buckets of the n-grams of 1 to `longest` words that end at each word.

    Args:
        ids: token ids, [time, ...].
        positions: the position of each word in its review, from 0 on, same shape; negative for padding.

    Returns:
        int64, [time, ..., longest]; 0 where an n-gram would begin before its review.
    """
    code, found = torch.zeros_like(ids, dtype=torch.int64), []
    for size in range(longest):
        code = (code.roll(1, 0) + ids + 1) * _MULTIPLIER
        code = code ^ (code >> 29)
        found.append(torch.where(positions >= size, 1 + code.remainder(buckets - 1), 0))
    return torch.stack(found, dim=-1)


def distinct_buckets(buckets: Tensor) -> Tensor:
    """Each row sorted, with 0 in place of all but the first of equal buckets.

    >>> distinct_buckets(torch.tensor([[7, 5, 7]]))
    tensor([[5, 7, 0]])
    """
    ordered = buckets.sort(dim=-1).values
    is_repeated = torch.zeros_like(ordered, dtype=torch.bool)
    is_repeated[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    return ordered.masked_fill(is_repeated, 0)
