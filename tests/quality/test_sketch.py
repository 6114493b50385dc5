"""Sketches against what they stand for: equality, and the Jaccard similarity of sequences of three words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pipeline.quality import sketch as module
from sentiment_pipeline.quality.sketch import BANDS, MINIMA, shingles, sketch

REVIEWS = st.lists(st.lists(st.integers(0, 5), max_size=12), min_size=1, max_size=20)


def sketched(reviews: list[list[int]]) -> module.Sketches:
    words = np.array([word for review in reviews for word in review], np.uint32)
    return sketch(words, np.array([len(review) for review in reviews]))


@settings(max_examples=60)
@given(reviews=REVIEWS, at_once=st.integers(1, 40))
def test_hashes_are_equal_for_equal_words_alone(reviews: list[list[int]], at_once: int) -> None:
    before, module._AT_ONCE = module._AT_ONCE, at_once
    try:
        exact = sketched(reviews).exact.tolist()
    finally:
        module._AT_ONCE = before
    for one, first in zip(exact, reviews, strict=True):
        for other, second in zip(exact, reviews, strict=True):
            assert (one == other) == (first == second)


def test_a_review_has_the_same_sketch_whatever_comes_before_it() -> None:
    generator = np.random.default_rng(0)
    reviews = [generator.integers(0, 1 << 32, size, np.uint32).tolist() for size in (3, 50, 0, 7, 50)]
    together = sketched([*reviews, reviews[1]])
    alone = sketched([reviews[1]])
    assert together.exact[1] == together.exact[5] == alone.exact[0]
    assert together.bands[:, 1].tolist() == together.bands[:, 5].tolist() == alone.bands[:, 0].tolist()
    assert together.minima[:, 1].tolist() == alone.minima[:, 0].tolist()


@pytest.mark.parametrize("similarity", [0.3, 0.7, 0.9])
def test_minima_are_the_same_with_the_probability_of_the_similarity(similarity: float) -> None:
    """Over pairs of sequences whose beginnings are the same."""
    generator, length, pairs = np.random.default_rng(1), 200, 300
    common = round(2 * similarity / (1 + similarity) * length)
    one = generator.integers(0, 1 << 32, (pairs, length), np.uint32)
    other = np.concatenate([one[:, :common], generator.integers(0, 1 << 32, (pairs, length - common), np.uint32)], 1)
    found = [sketch(each.ravel(), np.full(pairs, length)) for each in (one, other)]
    truth = np.mean([_jaccard(*map(shingles, each)) for each in zip(one, other, strict=True)])
    same = (found[0].minima == found[1].minima).mean()
    assert same == pytest.approx(truth + (1 - truth) / 256, abs=5 * (0.25 / (pairs * MINIMA)) ** 0.5 + 0.01)
    meeting = (found[0].bands == found[1].bands).any(axis=0).mean()
    assert meeting == pytest.approx(1 - (1 - truth**3) ** BANDS, abs=0.12)


def _jaccard(one: np.ndarray, other: np.ndarray) -> float:
    return len(np.intersect1d(one, other)) / len(np.union1d(one, other))


def test_bands_of_different_numbers_never_meet() -> None:
    words = np.random.default_rng(2).integers(0, 1 << 32, 1000, np.uint32)
    bands = sketch(words, np.full(50, 20)).bands
    assert len(np.unique(bands)) == bands.size


def test_one_enormous_review_is_sketched_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 10)
    words = list(range(95))
    found = sketched([words, words, words[:-1], words[::-1]]).exact
    assert found[0] == found[1]
    assert len({*found.tolist()}) == 3
