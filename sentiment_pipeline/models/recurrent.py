"""Stacked LSTM layers, in one direction or both, over padded batches.

The batches are not packed: neither cuDNN nor oneDNN takes its fast path over packed sequences. The padding is on the
right, so the forward direction reaches it only after the last token, and those outputs are not used. The backward
direction would start in the padding, so each review is mirrored within its own length, run forward, and mirrored back.
The outputs at tokens are those of `torch.nn.LSTM` over packed sequences.
"""

from typing import Any

import torch
from torch import Tensor, nn

from sentiment_pipeline.models.lstm import LSTM

__all__ = ["Recurrent"]

_CELLS: dict[str, type[nn.Module]] = {"fused": nn.LSTM, "scratch": LSTM}


class Recurrent(nn.Module):
    """`torch.nn.LSTM` with `num_layers`, `bidirectional` and `dropout`, over padded batches.

    Args:
        input_size: number of features of a time step's input.
        hidden_size: number of units of each layer in each direction.
        layers: number of layers.
        bidirectional: whether there is a backward direction, too.
        cell: `fused` for `torch.nn.LSTM`, `scratch` for the equations of `models.lstm`.
        dropout: dropout rate between the layers.

    Attributes:
        size: number of features of a time step's output.
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
        """The outputs of the last layer, the forward and the backward ones concatenated.

        Args:
            inputs: floating point, [time, reviews, input_size].
            lengths: number of time steps of each review before the padding on the right; integers, [reviews].

        Returns:
            [time, reviews, size]; undefined in the padding.
        """
        mirror = _mirror(len(inputs), lengths) if self.backwards else None
        for layer, forwards in enumerate(self.forwards):
            inputs = self.dropout(inputs) if layer else inputs
            outputs, _ = forwards(inputs)
            if mirror is not None:
                backwards, _ = self.backwards[layer](_Permute.apply(inputs, mirror))
                outputs = torch.cat([outputs, _Permute.apply(backwards, mirror)], dim=-1)
            inputs = outputs
        return inputs

    def initialize_orthogonal(self) -> None:
        """Draw orthogonal recurrent weights, and open the forget gates.

        Recurrent weights: Saxe et al., ICLR 2014. Forget gates: Jozefowicz et al., ICML 2015. Input weights: Glorot and
        Bengio, AISTATS 2010.
        """
        for name, weight in self.named_parameters():
            _initialize_gates(name.rpartition(".")[2], weight.data)


def _initialize_gates(name: str, weight: Tensor) -> None:
    """Initialize a parameter of an LSTM layer, whose rows are those of the four gates."""
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
    """The permutation of flattened [time, reviews] that mirrors each review within its length; int64."""
    position = torch.arange(time, device=lengths.device)[:, None]
    mirror = torch.where(position < lengths, lengths - 1 - position, position)
    return (mirror * len(lengths) + torch.arange(len(lengths), device=lengths.device)).flatten()


class _Permute(torch.autograd.Function):
    """Permutes the vectors of [time, reviews, features] by a permutation that is its own inverse.

    So the gradient is permuted in the same way, which is a copy; the gradient of a general gather is a slow scattered
    sum.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, permutation: Tensor) -> Tensor:
        ctx.save_for_backward(permutation)
        return inputs.flatten(0, 1).index_select(0, permutation).view_as(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (permutation,) = ctx.saved_tensors
        return gradients[0].flatten(0, 1).index_select(0, permutation).view_as(gradients[0]), None
