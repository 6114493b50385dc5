import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.meter import Meter
from sentiment_pipeline.training.resuming import Progress, load_optimizer, load_progress


def stepped_optimizer() -> torch.optim.Optimizer:
    model = nn.Linear(100, 20)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
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


def test_the_state_of_an_optimizer_of_another_kind_is_refused() -> None:
    optimizer, state = stepped_optimizer(), stepped_optimizer().state_dict()
    state["param_groups"][0]["amsgrad"] = "no"
    with pytest.raises(ValueError, match="its optimizer is of another kind"):
        load_optimizer(optimizer, state)


def state_after(**progress: Any) -> dict[str, Any]:
    """The state of a run of 30 steps, ten in an epoch, after 12 of them; `progress` holds other values of it."""
    values = dict(step=12, validated=10, reviews=190, tokens=2000, seconds=1.5, waited=0.1)
    metrics = {"step": 10, "reviews": 60, "loss": 0.5, "accuracy": 0.75}
    return {
        "progress": {**values, **progress},
        "loader": {"epoch": 1, "batch": 2},
        "best": {"weights": {}, "metrics": metrics},
        "history": ["{}\n"],
    }


def test_the_progress_of_a_state_is_loaded() -> None:
    assert load_progress(state_after(), 30, 10) == Progress(12, 10, 190, 2000, 1.5, 0.1)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"progress": {"step": 12}, "loader": {"epoch": 2, "batch": 2}}, "another run"),
        ({"progress": state_after(step=13)["progress"]}, "another run"),
        ({"progress": state_after(validated=13)["progress"]}, "another run"),
        ({"progress": state_after(seconds=float("nan"))["progress"]}, "its seconds is nan"),
        ({"progress": state_after(reviews=-1)["progress"]}, "its reviews is -1"),
        ({"progress": state_after(tokens="many")["progress"]}, "its tokens is 'many'"),
        ({"loader": {"epoch": True, "batch": 2}}, "its epoch is True"),
        ({"best": {"metrics": {"step": 10, "reviews": 60, "loss": None, "accuracy": None}}}, "best loss is missing"),
        ({"best": {"metrics": {"step": 10, "reviews": 60, "loss": 1e999, "accuracy": 1.0}}}, "its best loss is inf"),
        ({"history": [3]}, "its history"),
    ],
)
def test_a_state_that_contradicts_itself_or_the_run_is_refused(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        load_progress({**state_after(), **changes}, 30, 10)


def test_a_state_beyond_the_end_of_the_run_is_refused() -> None:
    with pytest.raises(ValueError, match="another run"):
        load_progress(state_after(), 11, 10)


def test_progress_grows_by_what_a_meter_counted() -> None:
    meter = Meter(torch.device("cpu"), Ranks(0, 1))
    assert Progress(step=3).plus(meter, 0) == Progress(step=3)
    meter.add(torch.tensor(6.0), torch.tensor(3), torch.tensor(1.0), reviews=4, tokens=40)
    meter.seconds, meter.waited = 2.0, 0.5
    grown = Progress(1, 1, 4, 40, 1.0, 0.25).plus(meter, 80)
    assert grown == Progress(1, 1, 8, 120, 3.0, 0.75)
    assert grown.rates() == {"reviews_per_s": 8 / 3, "tokens_per_s": 40, "seconds": 3.0, "data_wait": 0.25}
