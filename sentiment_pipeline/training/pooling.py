"""From the outputs at every time step to one vector a review, padding left out.

A review without a token gets zeros.
"""

import torch
from torch import Tensor, nn


class Pooling(nn.Module):
    """`last`, `mean`, `max`, `attention` or `max_mean` over time.

    `last` is what each direction has seen at its end: the forward outputs at the last token, the backward ones at
    the first. `attention` is the mean weighted by the softmax of a learned score.

    Attributes:
        size: numbers in the resulting vector.
    """

    def __init__(self, kind: str, inputs: int, bidirectional: bool) -> None:
        super().__init__()
        self.kind, self.bidirectional = kind, bidirectional
        self.size = 2 * inputs if kind == "max_mean" else inputs
        self.score = nn.Linear(inputs, 1, bias=False) if kind == "attention" else None

    def forward(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """[time, reviews, inputs] and the tokens of each review, [reviews], to [reviews, size]."""
        real = (torch.arange(len(outputs), device=lengths.device)[:, None] < lengths)[..., None]
        if self.kind == "last":
            pooled = self.last(outputs, lengths)
        elif self.kind == "mean":
            pooled = mean(outputs, real)
        elif self.kind == "max":
            pooled = maximum(outputs, real)
        elif self.score is not None:
            scores = self.score(outputs).float().masked_fill(~real, torch.finfo(torch.float32).min)
            pooled = (outputs * scores.softmax(0)).sum(0)
        else:
            pooled = torch.cat([maximum(outputs, real), mean(outputs, real)], dim=-1)
        return pooled.masked_fill((lengths == 0)[:, None], 0)

    def last(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        ends = outputs[(lengths - 1).clamp(min=0), torch.arange(len(lengths), device=lengths.device)]
        if not self.bidirectional:
            return ends
        half = outputs.shape[-1] // 2
        return torch.cat([ends[:, :half], outputs[0, :, half:]], dim=-1)


def mean(outputs: Tensor, real: Tensor) -> Tensor:
    return outputs.masked_fill(~real, 0).sum(0, dtype=torch.float32) / real.sum(0).clamp(min=1)


def maximum(outputs: Tensor, real: Tensor) -> Tensor:
    return outputs.masked_fill(~real, torch.finfo(outputs.dtype).min).amax(0).float()
