"""Naive Bayes log-count ratios of a review's n-grams, as further inputs of the LSTM.

The log-count ratio of an n-gram says how strongly it speaks for a class (Wang and Manning, ACL 2012). For each length
of n-grams, the ratio of the one that ends at a word goes into the LSTM beside the word's vector. So the LSTM knows
phrases such as "not worth" from the first training step on, and learns what they mean in context. N-grams are hashed
to a fixed number of buckets.

The inputs of a review must not reveal its own label: in training, its ratios are counted on the other folds of the
training reviews only (`CrossFittedRatios`). `training.fits` counts them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["MULTIPLIER", "SHIFT", "CrossFittedRatios", "NgramRatios", "distinct_buckets", "hash_ngrams"]

MULTIPLIER = 0x2545F4914F6CDD1D  # from Marsaglia's xorshift64*; any large odd number mixes as well
SHIFT = 29  # bits


class NgramRatios(nn.Module):
    """The log-count ratios of n-grams of 1 to `longest` words.

    Args:
        longest: number of words of the longest n-grams.
        buckets: number of hash buckets.

    Attributes:
        ratios: float32, [buckets]; a buffer, counted and not trained.
    """

    ratios: Tensor

    def __init__(self, longest: int, buckets: int) -> None:
        super().__init__()
        self.longest = longest
        self.register_buffer("ratios", torch.zeros(buckets))

    def forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        """The ratios of the n-grams that end at each word, float32, [time, reviews, longest].

        Args:
            ids: token ids; any integer type, [time, reviews].
            positions: the position of each word in its review, negative for padding; integers, [time, reviews].
        """
        return self.ratios[hash_ngrams(ids, positions, self.longest, len(self.ratios))]


@dataclass(frozen=True)
class CrossFittedRatios:
    """The ratios for training: each review gets those that were counted without its fold.

    Attributes:
        ratios: the ratios without each fold, float32, [folds, buckets].
        longest: number of words of the longest n-grams.
    """

    ratios: Tensor
    longest: int

    def of_reviews(self, ids: Tensor, positions: Tensor, rows: Tensor) -> Tensor:
        """The ratios of the n-grams that end at each word, float32, [time, reviews, longest].

        Args:
            ids: as for `NgramRatios.forward`.
            positions: as for `NgramRatios.forward`.
            rows: the indices of the reviews in the training split; integers, [reviews].
        """
        folds, buckets = self.ratios.shape
        fold = (rows % folds)[:, None] * buckets
        return self.ratios.flatten()[hash_ngrams(ids, positions, self.longest, buckets) + fold]


def hash_ngrams(ids: Tensor, positions: Tensor, longest: int, buckets: int) -> Tensor:
    """The buckets of the n-grams of 1 to `longest` words that end at each word.

    Args:
        ids: token ids; any integer type, [time, ...].
        positions: the position of each word in its review, from 0 on, negative for padding; integers, [time, ...].
        longest: number of words of the longest n-grams.
        buckets: number of hash buckets; bucket 0 means no n-gram.

    Returns:
        int64, [time, ..., longest]; 0 where an n-gram would begin before its review.
    """
    code, found = torch.zeros_like(ids, dtype=torch.int64), []
    for size in range(longest):
        code = (code.roll(1, 0) + ids + 1) * MULTIPLIER
        code = code ^ (code >> SHIFT)
        found.append(torch.where(positions >= size, 1 + code.remainder(buckets - 1), 0))
    return torch.stack(found, dim=-1)


def distinct_buckets(buckets: Tensor) -> Tensor:
    """Each row sorted, with 0 in place of repeated buckets.

    Args:
        buckets: int64, [rows, n-grams].

    >>> distinct_buckets(torch.tensor([[7, 5, 7]]))
    tensor([[5, 7, 0]])
    """
    ordered = buckets.sort(dim=-1).values
    is_repeated = torch.zeros_like(ordered, dtype=torch.bool)
    is_repeated[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    return ordered.masked_fill(is_repeated, 0)
