from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sentiment_pipeline.data.packed import PackedReviews
from sentiment_pipeline.models.cascade import Cascade, HeadScorer, cascade_logits, evaluate_cascade, fit_cascade
from sentiment_pipeline.models.inference import logits
from sentiment_pipeline.models.sentiment import SentimentModel
from tests.models.test_cpu_scoring import network
from tests.training.examples import VOCABULARY


@pytest.fixture(scope="module")
def model() -> SentimentModel:
    return network(ngrams=2, linear_length=60)


def reviews(count: int, seed: int) -> PackedReviews:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(0, 40, count)
    offsets = np.cumsum([0, *lengths])
    ids = generator.integers(0, VOCABULARY, offsets[-1]).astype(np.uint16)
    return PackedReviews(
        Path(), ids, offsets, generator.integers(0, 2, count).astype(np.int8), lengths.astype(np.int32)
    )


def test_the_head_decides_where_it_is_sure_and_the_model_elsewhere(model: SentimentModel) -> None:
    split = reviews(500, seed=0)
    head, whole = logits(HeadScorer(model), split.ids, split.offsets), logits(model, split.ids, split.offsets)
    threshold = float(np.median(np.abs(head)))
    found = cascade_logits(model, Cascade(threshold, 0.5), split.ids, split.offsets)
    decided = np.abs(head) > threshold
    assert 0.3 < decided.mean() < 0.7
    assert np.array_equal(found[decided], np.float32(0.5) * head[decided])
    assert np.allclose(found[~decided], whole[~decided], atol=1e-5)
    assert not model.training


@given(st.integers(0, 100), st.floats(0, 0.3))
def test_validation_labels_differ_no_more_than_allowed(seed: int, noise: float) -> None:
    generator = np.random.default_rng(seed)
    head = generator.normal(0, 3, 2000).astype(np.float32)
    whole = np.where(generator.random(2000) < noise * np.exp(-np.abs(head)), -head, 2 * head)
    cascade = fit_cascade(head, whole)
    assert cascade is not None
    decided = cascade.decides(head)
    assert ((head > 0) != (whole > 0))[decided].sum() <= 2  # of 2,000: 2 and its standard error are less than 4
    below = np.sort(np.abs(head[~decided]))[::-1]
    if cascade.threshold:  # the lowest threshold: with the next review, they would differ more often
        wider = np.abs(head) >= below[0]
        assert ((head > 0) != (whole > 0))[wider].sum() > 2


@pytest.mark.parametrize(
    ("head", "whole"),
    [
        (np.ones(999), np.ones(999)),  # too few
        (np.ones(2000), -np.ones(2000)),  # never right
        (np.zeros(2000), np.ones(2000)),  # never sure
    ],
)
def test_there_is_no_cascade_without_evidence(head: np.ndarray, whole: np.ndarray) -> None:
    assert fit_cascade(head, whole) is None


def test_its_figures_on_the_test_reviews(model: SentimentModel) -> None:
    validation, test = reviews(1500, seed=1), reviews(700, seed=2)
    labels = logits(model, test.ids, test.offsets) > 0
    figures = evaluate_cascade(model, validation, test, labels, torch.float32)
    assert figures is not None
    cascade = Cascade(figures["threshold"], figures["scale"])
    fast = cascade_logits(model, cascade, test.ids, test.offsets) > 0
    assert figures["agreement"] == (fast == labels).mean()
    assert figures["accuracy"] == (fast == (test.labels == 1)).mean()
    assert 0 < figures["decided"] <= 1


def test_none_without_a_head_or_without_test_reviews(model: SentimentModel) -> None:
    validation, empty = reviews(1500, seed=1), reviews(0, seed=2)
    assert evaluate_cascade(model, validation, empty, np.zeros(0, bool), torch.float32) is None
    headless = network(ngrams=2, linear_length=0)
    assert evaluate_cascade(headless, validation, validation, np.zeros(1500, bool), torch.float32) is None
