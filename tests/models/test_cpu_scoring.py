import itertools
from typing import Any

import numpy as np
import pytest
import torch

from sentiment_pipeline.data.batches import gather_ids
from sentiment_pipeline.models.cpu_scoring import CpuScorer
from sentiment_pipeline.models.sentiment import SentimentModel
from tests.training.examples import VOCABULARY, model_config

PARTS: dict[str, tuple[Any, ...]] = {
    "cell": ("fused", "scratch"),
    "layers": (1, 2, 3),
    "bidirectional": (False, True),
    "pooling": ("last", "max_mean"),
    "padding": ("left", "right"),
    "ngrams": (0, 2),
    "linear_length": (0, 60),
}


def network(**parts: Any) -> SentimentModel:
    torch.manual_seed(0)
    model = SentimentModel(model_config(**parts), VOCABULARY).eval()
    if model.evidence is not None:
        model.evidence.ratios.normal_()
    if model.head is not None:
        model.head.weights.normal_()
        model.head.weights[0] = 0
    return model


def batch(model: SentimentModel, longest: int = 70) -> tuple[torch.Tensor, torch.Tensor]:
    """Twenty reviews, the longest first; the last is empty."""
    generator = np.random.default_rng(0)
    lengths = np.sort(generator.integers(1, longest, 20))[::-1].copy()
    lengths[-1] = 0
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = generator.integers(0, VOCABULARY, offsets[-1])
    found, kept = gather_ids(ids, offsets, np.arange(20), model.config.truncation)
    return torch.from_numpy(found), torch.from_numpy(kept)


@pytest.mark.parametrize("layers", PARTS["layers"])
@torch.inference_mode()
def test_every_choice_of_parts_scores_as_the_module_does(layers: int) -> None:
    for values in itertools.product(*PARTS.values()):
        parts = {**dict(zip(PARTS, values, strict=True)), "layers": layers}
        model = network(**parts)
        inputs = batch(model)
        wanted = model(*inputs)
        assert torch.allclose(CpuScorer(model, torch.float32)(*inputs), wanted, atol=2e-6), parts


@torch.inference_mode()
def test_bf16_is_close_to_fp32() -> None:
    model = network(layers=2, bidirectional=True, ngrams=2)
    inputs = batch(model)
    difference = (CpuScorer(model, torch.bfloat16)(*inputs) - model(*inputs)).abs()
    assert 0 < difference.max() < 0.01


@pytest.mark.parametrize("longest", [1, 2])
@torch.inference_mode()
def test_batches_of_empty_and_shortest_reviews(longest: int) -> None:
    model = network(bidirectional=True, ngrams=2, linear_length=60)
    inputs = batch(model, longest=2) if longest == 2 else (torch.zeros(1, 3, dtype=torch.int32), torch.zeros(3).long())
    assert torch.allclose(CpuScorer(model, torch.float32)(*inputs), model(*inputs), atol=1e-6)
