"""A linear model over the n-grams of a whole review, whose logit is averaged with the LSTM's.

Each distinct n-gram adds its log-count ratio times a learned factor to the logit (Wang and Manning, ACL 2012). Such a
model and a recurrent one err on different reviews, so the mean of their logits is better than either (Mesnil et
al., ICLR 2015). The head is cheap, so it can read more of a long review than the LSTM. `training.fits` fits it.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from sentiment_pipeline.models.ngram_ratios import distinct_buckets, hash_ngrams

__all__ = ["LinearHead", "sum_of_weights"]


class LinearHead(nn.Module):
    """A bias, and a weight for each hash bucket of the n-grams of 1 to `longest` words.

    Args:
        longest: number of words of the longest n-grams.
        buckets: number of hash buckets.

    Attributes:
        weights: float32, [buckets, 1]; a buffer and not a parameter, because it is fitted apart from the LSTM.
        bias: float32, [1]; a buffer, too.
    """

    weights: Tensor
    bias: Tensor

    def __init__(self, longest: int, buckets: int) -> None:
        super().__init__()
        self.longest = longest
        self.register_buffer("weights", torch.zeros(buckets, 1))
        self.register_buffer("bias", torch.zeros(1))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The logit of each review, float32, [reviews].

        Args:
            ids: token ids, padded on the right; any integer type, [time, reviews].
            lengths: number of tokens of each review; integers, [reviews].
        """
        return sum_of_weights(self.weights, self.buckets(ids, lengths)) + self.bias

    def buckets(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The buckets of each review's distinct n-grams, int64, [reviews, time * longest]; 0 where there is none.

        Args:
            ids: as for `forward`.
            lengths: as for `forward`.
        """
        positions = torch.arange(len(ids), device=ids.device)[:, None].expand_as(ids)
        buckets = hash_ngrams(ids, positions, self.longest, len(self.weights))
        buckets = buckets.masked_fill((positions >= lengths)[..., None], 0)
        return distinct_buckets(buckets.transpose(0, 1).flatten(1))


def sum_of_weights(weights: Tensor, buckets: Tensor, factors: Tensor | None = None) -> Tensor:
    """The sum of the weights of each row's buckets, float32, [rows].

    Args:
        weights: float32, [buckets, 1]; the weight of bucket 0 must be 0. Its gradient is sparse.
        buckets: int64, [rows, n-grams].
        factors: factors of the weights in the sum, float32, [rows, n-grams]; None: 1.
    """
    return embedding_bag(buckets, weights, mode="sum", per_sample_weights=factors, sparse=True).squeeze(1)
