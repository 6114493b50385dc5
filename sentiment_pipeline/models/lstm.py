"""A long short-term memory layer, from scratch, in its gate equations.

The equations are those of Hochreiter and Schmidhuber (1997) with the forget gate of Gers, Schmidhuber and Cummins
(2000), in the form that `torch.nn.LSTM` computes. At each time step, from the input x, the last output h and the
last cell state c:

    i  = sigmoid(W_ii x + b_ii + W_hi h + b_hi)     input gate: how much of the candidate is added
    f  = sigmoid(W_if x + b_if + W_hf h + b_hf)     forget gate: how much of the cell state is kept
    g  = tanh(W_ig x + b_ig + W_hg h + b_hg)        candidate for the cell state
    o  = sigmoid(W_io x + b_io + W_ho h + b_ho)     output gate: how much of the cell state is shown
    c' = f * c + i * g
    h' = o * tanh(c')

The tutorial that this project starts from writes the last line as `o * tanh(W c' + b)`, with a weight matrix and a
bias of its own. No such weights exist in the standard LSTM, nor in the layer that the tutorial's code uses: `tanh`
acts on the cell state directly.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

__all__ = ["LSTM"]


class LSTM(nn.Module):
    """One layer in one direction: `torch.nn.LSTM(input_size, hidden_size)` with the same parameters and results.

    The weights of the four gates are stacked in the order i, f, g, o, so that a state dict of either layer fits the
    other.

    Args:
        input_size: number of features of a time step's input.
        hidden_size: number of units, which is the number of features of its output.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        bound = 1 / math.sqrt(hidden_size)

        def weights(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))

        self.weight_ih_l0 = weights(4 * hidden_size, input_size)
        self.weight_hh_l0 = weights(4 * hidden_size, hidden_size)
        self.bias_ih_l0 = weights(4 * hidden_size)
        self.bias_hh_l0 = weights(4 * hidden_size)

    def forward(self, inputs: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Run over the inputs, starting from zero states.

        Args:
            inputs: floating point, [time, reviews, input_size].

        Returns:
            The output h of every time step, [time, reviews, hidden_size], and the last h and c, each
            [1, reviews, hidden_size].
        """
        h = c = inputs.new_zeros(inputs.shape[1], self.hidden_size)
        from_inputs = linear(inputs, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)  # of all steps at once
        outputs = []
        for from_input in from_inputs:
            i, f, g, o = (from_input + linear(h, self.weight_hh_l0)).chunk(4, dim=-1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs), (h[None], c[None])
