"""LSTM layers on top of one another, in one direction or both, over padded batches.

The batches are not packed: over packed sequences neither cuDNN nor oneDNN takes its fast path. With the
padding on the right the forward direction meets it only after the last token, where nothing looks. The backward
direction would start in it, so each review is mirrored within its own length, run forward, and mirrored back. The
outputs at real tokens are those of `torch.nn.LSTM` over packed sequences.
"""

from typing import Any

import torch
from torch import Tensor, nn

from sentiment_pipeline.training.lstm import LSTM

CELLS: dict[str, type[nn.Module]] = {"fused": nn.LSTM, "scratch": LSTM}


class Recurrent(nn.Module):
    """What `torch.nn.LSTM` does with `num_layers`, `bidirectional` and `dropout`.

    Args:
        variational: draw a dropout mask once a review, not once a time step (Gal and Ghahramani, NIPS 2016).
    """

    def __init__(self, input_size: int, hidden_size: int, layers: int, bidirectional: bool, cell: str,
                 dropout: float, variational: bool) -> None:
        super().__init__()
        self.size = hidden_size * (2 if bidirectional else 1)
        self.dropout = Dropout(dropout, variational)
        sizes = [input_size] + [self.size] * (layers - 1)
        self.forwards = nn.ModuleList(CELLS[cell](size, hidden_size) for size in sizes)
        self.backwards = nn.ModuleList(CELLS[cell](size, hidden_size) for size in sizes if bidirectional)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Outputs of the last layer, forward and backward side by side.

        Args:
            inputs: [time, reviews, input_size].
            lengths: the time steps of each review that are not padding on the right, [reviews].

        Returns:
            [time, reviews, size]; without meaning where the padding is.
        """
        mirror = mirrored(len(inputs), lengths) if self.backwards else None
        for number, forwards in enumerate(self.forwards):
            inputs = self.dropout(inputs) if number else inputs
            outputs, _ = forwards(inputs)
            if mirror is not None:
                backwards, _ = self.backwards[number](Permute.apply(inputs, mirror))
                outputs = torch.cat([outputs, Permute.apply(backwards, mirror)], dim=-1)
            inputs = outputs
        return inputs

    def open_gates(self) -> None:
        """Draw first weights better than torch's own; see `initialize_gates`."""
        for name, weight in self.named_parameters():
            initialize_gates(name.rpartition(".")[2], weight.data)


def initialize_gates(name: str, weight: Tensor) -> None:
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


class Dropout(nn.Module):
    """Dropout on [time, reviews, features], with one mask for all time steps if variational."""

    def __init__(self, share: float, variational: bool) -> None:
        super().__init__()
        self.share, self.variational = share, variational

    def forward(self, inputs: Tensor) -> Tensor:
        if self.variational and self.training and self.share:
            return inputs * nn.functional.dropout(torch.ones_like(inputs[:1]), self.share)
        return nn.functional.dropout(inputs, self.share, self.training)


def mirrored(time: int, lengths: Tensor) -> Tensor:
    """Where each place of [time, reviews], flattened, goes when every review is mirrored within its length."""
    place = torch.arange(time, device=lengths.device)[:, None]
    mirror = torch.where(place < lengths, lengths - 1 - place, place)
    return (mirror * len(lengths) + torch.arange(len(lengths), device=lengths.device)).flatten()


class Permute(torch.autograd.Function):
    """Rows of [time, reviews, features] put where a permutation that is its own inverse says.

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
