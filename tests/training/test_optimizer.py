import copy
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as loss_of

from sentiment_pipeline.models.sentiment import SentimentModel
from sentiment_pipeline.training.config import TrainingConfig
from sentiment_pipeline.training.optimizer import ScheduledOptimizer, _rate_factor
from tests.training.examples import VOCABULARY, model_config, training_config

STEPS = 1000


def make_model() -> SentimentModel:
    torch.manual_seed(0)
    return SentimentModel(model_config(word_dropout=0.0, dropout=0.0), VOCABULARY)


def make_optimizer(model: nn.Module, config: TrainingConfig, dtype: torch.dtype = torch.float32) -> ScheduledOptimizer:
    return ScheduledOptimizer(model, config, STEPS, torch.device("cpu"), dtype)


def loss_on_two_reviews(model: SentimentModel) -> Tensor:
    return loss_of(model(torch.arange(12).view(6, 2), torch.tensor([6, 4])), torch.tensor([1.0, 0.0]))


def test_without_decay_schedule_and_clipping_it_is_plain_adam() -> None:
    config = training_config(
        weight_decay=0.0, learning_rate=0.005, beta2=0.999, schedule="constant", warmup=0.0, clip_norm=0.0
    )
    ours, theirs = make_model(), make_model()
    optimizer, plain = make_optimizer(ours, config), torch.optim.Adam(theirs.parameters(), lr=0.005)
    for step in range(5):
        optimizer.step(loss_on_two_reviews(ours), step)
        plain.zero_grad()
        loss_on_two_reviews(theirs).backward()
        plain.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-7)


def test_matrices_decay_and_word_vectors_and_biases_do_not() -> None:
    model = make_model()
    before = {name: each.detach().clone() for name, each in model.named_parameters()}
    optimizer = make_optimizer(model, training_config(weight_decay=0.5, learning_rate=0.1))
    optimizer.step(0 * loss_on_two_reviews(model), 500)
    for name, each in model.named_parameters():
        decays = each.ndim > 1 and not name.startswith("embedding")
        assert torch.equal(each, before[name]) != decays, name


@pytest.mark.parametrize(("clip_norm", "factor"), [(0.0, 1.0), (0.01, 0.01), (1e6, 1.0)])
def test_the_gradient_is_clipped_and_its_norm_before_that_returned(clip_norm: float, factor: float) -> None:
    """AdamW's first moment after one step is a tenth of the gradient."""
    model = make_model()
    optimizer = make_optimizer(model, training_config(clip_norm=clip_norm))
    norm = optimizer.step(loss_on_two_reviews(model), 0)
    moments = torch.cat([state["exp_avg"].flatten() for state in optimizer.adamw.state.values()])
    assert norm > 0.01
    assert 10 * moments.norm() == pytest.approx(factor if factor < 1 else float(norm), rel=1e-3)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", {0: 0.01, 50: 0.51, 100: 1, 550: 1, 999: 1}),
        ("cosine", {0: 0.01, 99: 1, 549: 0.5, 774: 0.5 - 0.5 * math.sqrt(0.5), 999: 0}),
    ],
)
def test_learning_rates(schedule: str, factors: dict[int, float]) -> None:
    config = training_config(schedule=schedule, warmup=0.1)
    for step, factor in factors.items():
        assert _rate_factor(config, step, STEPS) == pytest.approx(factor, abs=0.002)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_warm_up_may_be_none_or_everything(schedule: str, warmup: float) -> None:
    config = training_config(schedule=schedule, warmup=warmup)
    factors = [_rate_factor(config, step, 10) for step in range(10)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors[0] > 0
    if warmup:
        assert factors == sorted(factors)


def test_a_step_has_its_learning_rate() -> None:
    model = make_model()
    optimizer = make_optimizer(model, training_config(learning_rate=0.2, warmup=0.1))
    optimizer.step(loss_on_two_reviews(model), 49)
    assert optimizer.learning_rate == pytest.approx(0.1)
    assert [group["lr"] for group in optimizer.adamw.param_groups] == pytest.approx([0.1, 0.1])


def test_a_resumed_optimizer_takes_the_same_steps() -> None:
    models = [make_model(), make_model()]
    one, other = (make_optimizer(model, training_config()) for model in models)
    one.step(loss_on_two_reviews(models[0]), 0)
    models[1].load_state_dict(models[0].state_dict())
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    for optimizer, model in zip((one, other), models, strict=True):
        optimizer.step(loss_on_two_reviews(model), 1)
    for mine, theirs in zip(*(model.parameters() for model in models), strict=True):
        assert torch.equal(mine, theirs)
