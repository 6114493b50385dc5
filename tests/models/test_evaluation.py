import math
from pathlib import Path

import numpy as np
import pytest
import torch

from sentiment_pipeline.data.packed import open_packed
from sentiment_pipeline.models import evaluation
from sentiment_pipeline.models.evaluation import evaluate, metrics, score_split
from sentiment_pipeline.models.sentiment import SentimentModel
from tests.training.examples import VOCABULARY, model_config, write_packed


def test_figures_of_a_known_case() -> None:
    found = metrics(np.log(np.array([3, 1 / 3, 3, 1 / 3, 3], np.float32)), np.array([1, 1, 1, 0, 0], np.int8))
    assert found["confusion"] == [[1, 1], [1, 2]]
    assert found["reviews"] == 5
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["precision"] == found["recall"] == found["f1"] == pytest.approx(2 / 3)
    assert found["loss"] == pytest.approx((3 * -math.log(0.75) + 2 * -math.log(0.25)) / 5)


def test_figures_stay_finite_at_the_edges() -> None:
    assert metrics(np.array([1e4, -1e4], np.float32), np.array([1, 0], np.int8))["loss"] == 0
    assert metrics(np.array([-1.0], np.float32), np.array([0], np.int8))["f1"] == 0
    nothing = metrics(np.array([], np.float32), np.array([], np.int8))
    assert (nothing["reviews"], nothing["accuracy"], nothing["loss"]) == (0, None, None)


def test_pieces_and_processes_score_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reviews = open_packed(write_packed(tmp_path, 100, seed=0), VOCABULARY)
    torch.manual_seed(0)
    model = SentimentModel(model_config(), VOCABULARY)
    whole = score_split(model, reviews)
    monkeypatch.setattr(evaluation, "_PIECE", 17)
    parts = [score_split(model, reviews, rank=rank, ranks=3) for rank in range(3)]
    assert np.allclose(sum(parts), whole, atol=1e-6)
    assert sum(np.count_nonzero(part) for part in parts) == 100
    figures, probabilities = evaluate(model, reviews)
    assert figures["accuracy"] == np.mean((probabilities > 0.5) == reviews.labels)
