"""The cell by itself, against torch's; stacked and over padded batches it is in test_recurrent.py."""

import torch
from torch import nn

from sentiment_pipeline.models.lstm import LSTM


def test_a_state_dict_of_either_fits_the_other() -> None:
    ours, theirs = LSTM(3, 4).double(), nn.LSTM(3, 4).double()
    ours.load_state_dict(theirs.state_dict())
    inputs = torch.randn(6, 5, 3, dtype=torch.float64)
    (our, (h, c)), (their, (their_h, their_c)) = ours(inputs), theirs(inputs)
    for one, other in ((our, their), (h, their_h), (c, their_c)):
        assert one.shape == other.shape
        assert (one - other).abs().max() < 1e-9


def test_one_step_is_the_gate_equations() -> None:
    cell = LSTM(1, 1).double()
    cell.load_state_dict(
        {
            "weight_ih_l0": torch.tensor([[0.5], [0.1], [2.0], [-1.0]]),
            "weight_hh_l0": torch.zeros(4, 1),
            "bias_ih_l0": torch.tensor([0.0, 0.2, 0.0, 0.3]),
            "bias_hh_l0": torch.zeros(4),
        }
    )
    outputs, (_, c) = cell(torch.tensor([[[1.5]]], dtype=torch.float64))
    i, g, o = torch.tensor(0.75).sigmoid(), torch.tensor(3.0).tanh(), torch.tensor(-1.2).sigmoid()
    assert torch.isclose(c.float().squeeze(), i * g)
    assert torch.isclose(outputs.float().squeeze(), o * (i * g).tanh())  # no weights inside the last tanh


def test_first_weights_are_drawn_as_torch_draws_them() -> None:
    torch.manual_seed(1)
    ours = LSTM(3, 100)
    torch.manual_seed(1)
    theirs = nn.LSTM(3, 100)
    for name, weight in ours.state_dict().items():
        assert torch.equal(weight, theirs.state_dict()[name])
