import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as loss_of

from sentiment_pipeline.models.sentiment import SentimentModel
from sentiment_pipeline.training.optimizer import build_optimizer, rate_factor, set_learning_rate
from tests.training.examples import VOCABULARY, model_config, training_config

STEPS = 1000


def make_model() -> SentimentModel:
    torch.manual_seed(0)
    return SentimentModel(model_config(word_dropout=0.0, dropout=0.0), VOCABULARY)


def take_step(model: SentimentModel, optimizer: torch.optim.Optimizer) -> None:
    ids = torch.arange(12).view(6, 2)
    optimizer.zero_grad()
    loss_of(model(ids, torch.tensor([6, 4])), torch.tensor([1.0, 0.0])).backward()
    optimizer.step()


def test_without_decay_it_is_plain_adam() -> None:
    ours, theirs = make_model(), make_model()
    mine = build_optimizer(ours, training_config(weight_decay=0.0, learning_rate=0.005, beta2=0.999))
    plain = torch.optim.Adam(theirs.parameters(), lr=0.005)
    for _ in range(5):
        take_step(ours, mine)
        take_step(theirs, plain)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-7)


def test_matrices_decay_and_word_vectors_and_biases_do_not() -> None:
    model = make_model()
    before = {name: each.detach().clone() for name, each in model.named_parameters()}
    optimizer = build_optimizer(model, training_config(weight_decay=0.5, learning_rate=0.1))
    for each in model.parameters():
        each.grad = torch.zeros_like(each)
    optimizer.step()
    for name, each in model.named_parameters():
        decays = each.ndim > 1 and not name.startswith("embedding")
        assert torch.equal(each, before[name]) != decays, name


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
        assert rate_factor(config, step, STEPS) == pytest.approx(factor, abs=0.002)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_warm_up_may_be_none_or_everything(schedule: str, warmup: float) -> None:
    config = training_config(schedule=schedule, warmup=warmup)
    factors = [rate_factor(config, step, 10) for step in range(10)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors[0] > 0
    if warmup:
        assert factors == sorted(factors)


def test_the_optimizer_gets_the_rate_of_the_step() -> None:
    config = training_config(learning_rate=0.2, warmup=0.1)
    optimizer = build_optimizer(make_model(), config)
    set_learning_rate(optimizer, config, 49, STEPS)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.1, 0.1])
