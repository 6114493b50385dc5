"""What a saved state must hold to be resumed from."""

import copy

import pytest
import torch
from torch import Tensor, nn

from sentiment_pipeline.training.optimizer import build_optimizer
from sentiment_pipeline.training.resuming import load_optimizer
from tests.training.examples import training_config


def stepped_optimizer() -> torch.optim.Optimizer:
    model = nn.Linear(100, 20)
    optimizer = build_optimizer(model, training_config())
    model(torch.ones(100)).sum().backward()
    optimizer.step()
    return optimizer


def test_the_state_of_the_same_optimizer_is_loaded() -> None:
    saved, optimizer = stepped_optimizer(), stepped_optimizer()
    load_optimizer(optimizer, copy.deepcopy(saved.state_dict()))
    for mine, theirs in zip(optimizer.state.values(), saved.state.values(), strict=True):
        assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("name", ["exp_avg", "exp_avg_sq"])
@pytest.mark.parametrize(
    "moment", [torch.tensor(0.0), torch.zeros(1), torch.zeros(100, 20), torch.zeros(1).expand(20, 100)]
)
def test_a_moment_that_the_fused_step_would_write_beyond_is_refused(name: str, moment: Tensor) -> None:
    """torch's kernel checks neither size nor strides, and writes as many numbers as the parameter has."""
    optimizer = stepped_optimizer()
    state = optimizer.state_dict()
    state["state"][0][name] = moment
    with pytest.raises(ValueError, match="its optimizer belongs to other parameters"):
        load_optimizer(optimizer, state)


@pytest.mark.parametrize("values", [{}, {"step": torch.tensor(1.0)}, {"step": torch.zeros(3)}])
def test_an_incomplete_state_is_refused(values: dict[str, Tensor]) -> None:
    optimizer = stepped_optimizer()
    state = optimizer.state_dict()
    state["state"][0] = values
    with pytest.raises(ValueError, match="its optimizer belongs to other parameters"):
        load_optimizer(optimizer, state)
