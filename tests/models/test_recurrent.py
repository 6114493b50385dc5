"""`Recurrent` against `torch.nn.LSTM` over packed sequences, which is what both cells must equal."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sentiment_pipeline.models.recurrent import Recurrent, _mirror, _Permute

TIME, REVIEWS, INPUTS, HIDDEN = 7, 5, 3, 4
LENGTHS = torch.tensor([7, 1, 4, 6, 7])


def pair(cell: str, layers: int, bidirectional: bool) -> tuple[Recurrent, nn.LSTM]:
    """A stack of ours and torch's with the same weights, in float64."""
    torch.manual_seed(0)
    theirs = nn.LSTM(INPUTS, HIDDEN, layers, bidirectional=bidirectional).double()
    ours = Recurrent(INPUTS, HIDDEN, layers, bidirectional, cell, dropout=0.0).double()
    for name, weight in theirs.named_parameters():
        matched(ours, name).data.copy_(weight.data)
    return ours, theirs


def matched(ours: Recurrent, name: str) -> nn.Parameter:
    """Our parameter for a name such as `weight_ih_l1_reverse`."""
    kind, _, rest = name.rpartition("_l") if "reverse" not in name else name.removesuffix("_reverse").rpartition("_l")
    directions = ours.backwards if "reverse" in name else ours.forwards
    parameter = getattr(directions[int(rest)], f"{kind}_l0")
    assert isinstance(parameter, nn.Parameter)
    return parameter


def packed(theirs: nn.LSTM, inputs: Tensor) -> Tensor:
    outputs, _ = theirs(pack_padded_sequence(inputs, LENGTHS, enforce_sorted=False))
    return pad_packed_sequence(outputs, total_length=TIME)[0]


@pytest.mark.parametrize("cell", ["fused", "scratch"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_outputs_and_gradients_are_those_of_torch(cell: str, layers: int, bidirectional: bool) -> None:
    ours, theirs = pair(cell, layers, bidirectional)
    inputs = torch.randn(TIME, REVIEWS, INPUTS, dtype=torch.float64)
    real = (torch.arange(TIME)[:, None] < LENGTHS)[..., None]
    scale = torch.randn(TIME, REVIEWS, ours.size, dtype=torch.float64)  # so that every output counts differently
    found: list[tuple[Tensor, Tensor]] = []
    for run in (lambda given: ours(given, LENGTHS), lambda given: packed(theirs, given)):
        given = inputs.clone().requires_grad_()
        outputs = run(given) * real
        (outputs * scale).sum().backward()
        assert given.grad is not None
        found.append((outputs.detach(), given.grad))
    for our, their in zip(*found, strict=True):
        assert (our - their).abs().max() < 1e-9
    for name, weight in theirs.named_parameters():
        grad, expected = matched(ours, name).grad, weight.grad
        assert grad is not None
        assert expected is not None
        assert (grad - expected).abs().max() < 1e-9, name


def test_padding_says_nothing() -> None:
    ours, _ = pair("fused", 2, True)
    inputs = torch.randn(TIME, REVIEWS, INPUTS, dtype=torch.float64)
    other = inputs.clone()
    real = torch.arange(TIME)[:, None] < LENGTHS
    other[~real] = 1e3
    assert torch.equal(ours(inputs, LENGTHS)[real], ours(other, LENGTHS)[real])


def test_mirroring_is_its_own_inverse_and_keeps_padding() -> None:
    mirror = _mirror(TIME, LENGTHS)
    inputs = torch.arange(TIME * REVIEWS, dtype=torch.float64).view(TIME, REVIEWS, 1)
    turned = _Permute.apply(inputs, mirror)
    assert turned[:4, 2].flatten().tolist() == inputs[:4, 2].flatten().flip(0).tolist()
    assert torch.equal(turned[4:, 2], inputs[4:, 2])
    assert torch.equal(_Permute.apply(turned, mirror), inputs)
    assert torch.autograd.gradcheck(lambda each: _Permute.apply(each, mirror), inputs.requires_grad_())
