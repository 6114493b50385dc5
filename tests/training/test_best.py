import copy
from typing import Any

import pytest
import torch
from torch import nn

from sentiment_pipeline.training.best import BestWeights


def model_of(value: float) -> nn.Linear:
    model = nn.Linear(2, 3)
    model.weight.data.fill_(value)
    return model


def found(loss: float | None, accuracy: float | None, reviews: int = 10) -> dict[str, Any]:
    return {"reviews": reviews, "loss": loss, "accuracy": accuracy}


def test_the_lowest_loss_decides_and_the_first_of_equals_is_kept() -> None:
    best = BestWeights()
    for count, (loss, accuracy) in enumerate([(0.5, 0.7), (0.4, 0.6), (0.6, 0.8), (0.4, 0.8)], start=1):
        best.update(model_of(count), count, found(loss, accuracy))
    assert best.metrics["step"] == 2
    assert best.weights["weight"].eq(2).all()


def test_without_validation_reviews_the_last_weights_are_kept() -> None:
    best = BestWeights()
    for step in (1, 2):
        best.update(model_of(step), step, found(None, None, reviews=0))
    assert best.weights["weight"].eq(2).all()


def test_further_training_does_not_change_them() -> None:
    best, model = BestWeights(), model_of(1)
    best.update(model, 1, found(0.5, 0.5))
    model.weight.data.fill_(7)
    assert best.weights["weight"].eq(1).all()


def test_a_state_is_resumed_from() -> None:
    best, resumed, model = BestWeights(), BestWeights(), model_of(1)
    best.update(model, 1, found(0.5, 0.5))
    resumed.load_state_dict(copy.deepcopy(best.state_dict()), model)
    resumed.update(model_of(2), 2, found(0.6, 0.6))
    assert resumed.metrics == best.metrics
    assert torch.equal(resumed.weights["weight"], best.weights["weight"])


def test_weights_of_another_model_are_refused() -> None:
    best = BestWeights()
    best.update(model_of(1), 1, found(0.5, 0.5))
    with pytest.raises(ValueError, match="those of another model"):
        best.load_state_dict(best.state_dict(), nn.Linear(2, 4))
