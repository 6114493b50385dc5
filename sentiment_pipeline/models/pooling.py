"""From the outputs at every time step to one vector a review, padding left out.

A review without a token gets zeros.
"""

import torch
from torch import Tensor, nn

__all__ = ["Pooling"]


class Pooling(nn.Module):
    """`last` or `max_mean` over time.

    `last` is the last output of each direction: the forward one at the last token, the backward one at the first.
    `max_mean` is the maximum and the mean of each feature, side by side.

    Args:
        kind: `last` or `max_mean`.
        inputs: features of a time step.
        bidirectional: whether the second half of the features is that of the backward direction.

    Attributes:
        size: numbers in the resulting vector.
    """

    def __init__(self, kind: str, inputs: int, bidirectional: bool) -> None:
        super().__init__()
        self.kind, self.bidirectional = kind, bidirectional
        self.size = 2 * inputs if kind == "max_mean" else inputs

    def forward(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """[time, reviews, inputs] and the tokens of each review, [reviews], to [reviews, size]."""
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
