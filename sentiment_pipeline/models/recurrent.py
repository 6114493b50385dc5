"""LSTM layers on top of one another, in one direction or both, over padded batches.

The batches are not packed: over packed sequences neither cuDNN nor oneDNN takes its fast path. With the
padding on the right the forward direction meets it only after the last token, where nothing looks. The backward
direction would start in it, so each review is mirrored within its own length, run forward, and mirrored back. The
outputs at real tokens are those of `torch.nn.LSTM` over packed sequences.
"""

from typing import Any

import torch
from torch import Tensor, nn

from sentiment_pipeline.models.lstm import LSTM

__all__ = ["Recurrent"]

_CELLS: dict[str, type[nn.Module]] = {"fused": nn.LSTM, "scratch": LSTM}


class Recurrent(nn.Module):
    """What `torch.nn.LSTM` does with `num_layers`, `bidirectional` and `dropout`.

    Attributes:
        size: numbers in the output of a time step.
    """

    def __init__(
        self, input_size: int, hidden_size: int, layers: int, bidirectional: bool, cell: str, dropout: float
    ) -> None:
        super().__init__()
        self.size = hidden_size * (2 if bidirectional else 1)
        self.dropout = nn.Dropout(dropout)
        sizes = [input_size] + [self.size] * (layers - 1)
        self.forwards = nn.ModuleList(_CELLS[cell](size, hidden_size) for size in sizes)
        self.backwards = nn.ModuleList(_CELLS[cell](size, hidden_size) for size in sizes if bidirectional)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Outputs of the last layer, forward and backward side by side.

        Args:
            inputs: [time, reviews, input_size].
            lengths: the time steps of each review that are not padding on the right, [reviews].

        Returns:
            [time, reviews, size]; undefined in the padding.
        """
        mirror = _mirror(len(inputs), lengths) if self.backwards else None
        for number, forwards in enumerate(self.forwards):
            inputs = self.dropout(inputs) if number else inputs
            outputs, _ = forwards(inputs)
            if mirror is not None:
                backwards, _ = self.backwards[number](_Permute.apply(inputs, mirror))
                outputs = torch.cat([outputs, _Permute.apply(backwards, mirror)], dim=-1)
            inputs = outputs
        return inputs

    def initialize_orthogonal(self) -> None:
        """Draw first weights better than torch's own; see `_initialize_gates`."""
        for name, weight in self.named_parameters():
            _initialize_gates(name.rpartition(".")[2], weight.data)


def _initialize_gates(name: str, weight: Tensor) -> None:
    """Orthogonal recurrent weights (Saxe et al., 2014) and a forget gate that is open (Jozefowicz et al., 2015)."""
    if name.startswith("weight_hh"):
        for gate in weight.chunk(4):
            nn.init.orthogonal_(gate)
    elif name.startswith("weight_ih"):
        nn.init.xavier_uniform_(weight)
    else:
        weight.zero_()
        if name.startswith("bias_ih"):
            weight.chunk(4)[1].fill_(1.0)


def _mirror(time: int, lengths: Tensor) -> Tensor:
    """The index that mirrors every review of [time, reviews], flattened, within its own length."""
    position = torch.arange(time, device=lengths.device)[:, None]
    mirror = torch.where(position < lengths, lengths - 1 - position, position)
    return (mirror * len(lengths) + torch.arange(len(lengths), device=lengths.device)).flatten()


class _Permute(torch.autograd.Function):
    """The rows of [time, reviews, features], permuted by a permutation that is its own inverse.

    The gradient is permuted the same way, which is a copy where that of a general gather is a slow scattered sum.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, permutation: Tensor) -> Tensor:
        ctx.save_for_backward(permutation)
        return inputs.flatten(0, 1).index_select(0, permutation).view_as(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (permutation,) = ctx.saved_tensors
        return gradients[0].flatten(0, 1).index_select(0, permutation).view_as(gradients[0]), None
