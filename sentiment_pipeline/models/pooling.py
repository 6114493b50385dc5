"""Pooling: from the outputs at every time step to one vector per review, without the padding.

The vector of a review without tokens is zero.
"""

import torch
from torch import Tensor, nn

__all__ = ["Pooling"]


class Pooling(nn.Module):
    """Pools the outputs of an LSTM over time.

    Args:
        kind: `last`, the last output of each direction: the forward one at the last token, the backward one at the
            first. Or `max_mean`, the maximum and the mean of each feature over time, concatenated.
        inputs: number of features of a time step.
        bidirectional: whether the second half of the features comes from the backward direction.

    Attributes:
        size: number of features of the pooled vector.
    """

    def __init__(self, kind: str, inputs: int, bidirectional: bool) -> None:
        super().__init__()
        self.kind, self.bidirectional = kind, bidirectional
        self.size = 2 * inputs if kind == "max_mean" else inputs

    def forward(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """The pooled vector of each review, [reviews, size].

        Args:
            outputs: floating point, [time, reviews, inputs].
            lengths: number of tokens of each review, the first of its time steps; integers, [reviews].
        """
        if self.kind == "last":
            pooled = self._last(outputs, lengths)
        else:
            is_token = (torch.arange(len(outputs), device=lengths.device)[:, None] < lengths)[..., None]
            pooled = torch.cat([_maximum(outputs, is_token), _mean(outputs, is_token)], dim=-1)
        return pooled.masked_fill((lengths == 0)[:, None], 0)

    def _last(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        ends = outputs[(lengths - 1).clamp(min=0), torch.arange(len(lengths), device=lengths.device)]
        if not self.bidirectional:
            return ends
        half = outputs.shape[-1] // 2
        return torch.cat([ends[:, :half], outputs[0, :, half:]], dim=-1)


def _mean(outputs: Tensor, is_token: Tensor) -> Tensor:
    return outputs.masked_fill(~is_token, 0).sum(0, dtype=torch.float32) / is_token.sum(0).clamp(min=1)


def _maximum(outputs: Tensor, is_token: Tensor) -> Tensor:
    return outputs.masked_fill(~is_token, torch.finfo(outputs.dtype).min).amax(0).float()
