"""The ONNX graph gives the probabilities of the model, whatever its parts, the number of reviews and their lengths."""

from itertools import product
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from sentiment_pipeline.export.model_graph import model_graph
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.inference import logits
from sentiment_pipeline.models.sentiment import SentimentModel
from sentiment_pipeline.settings import preset

WORDS = 300
SMALL = {"embedding": 8, "hidden": 8, "length": 30, "tail": 10, "ngram_buckets": 512}
CHOICES = {
    "pooling": ("last", "max_mean"),
    "layers": (1, 2),
    "bidirectional": (True, False),
    "padding": ("left", "right"),
    "ngrams": (0, 3),
    "linear_length": (0, 60),
}
ALL = [dict(zip(CHOICES, values, strict=True)) for values in product(*CHOICES.values())]


def random_model(config: ModelConfig) -> SentimentModel:
    torch.manual_seed(1)
    model = SentimentModel(config, WORDS).eval()
    for table in model.buffers():
        torch.nn.init.normal_(table)
    if model.evidence is not None:
        model.evidence.ratios[0] = 0  # of no n-gram
    if model.head is not None:
        model.head.weights[0] = 0
    return model


@pytest.mark.parametrize("choice", ALL, ids=lambda choice: "-".join(map(str, choice.values())))
def test_any_model_any_number_of_reviews_any_length(choice: dict[str, Any]) -> None:
    compare(random_model(ModelConfig(**{**preset("quick")["model"], **SMALL, **choice})))


@pytest.mark.parametrize("name", ["tutorial", "quick", "full"])
def test_the_presets(name: str) -> None:
    compare(random_model(ModelConfig(**{**preset(name)["model"], "ngram_buckets": 4096})))


def compare(model: SentimentModel) -> None:
    session = onnxruntime.InferenceSession(model_graph(model).SerializeToString())
    generator = np.random.default_rng(2)
    for reviews, longest in ((1, 1), (5, 29), (3, 30), (2, 31), (4, 200)):
        lengths = generator.integers(0, longest + 1, reviews)
        lengths[0] = longest
        ids = generator.integers(0, WORDS, (reviews, longest)) * (np.arange(longest) < lengths[:, None])
        flat = np.concatenate([row[:length] for row, length in zip(ids, lengths, strict=True)])
        (found,) = session.run(None, {"ids": ids, "lengths": lengths})
        wanted = 1 / (1 + np.exp(-logits(model, flat, np.concatenate([[0], np.cumsum(lengths)]))))
        np.testing.assert_allclose(found, wanted, atol=1e-5)
