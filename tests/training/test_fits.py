import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from sentiment_pipeline.data.packed import PackedReviews, open_packed
from sentiment_pipeline.models.linear_head import LinearHead
from sentiment_pipeline.models.ngram_ratios import NgramRatios, hash_ngrams
from sentiment_pipeline.training import fits
from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.fits import _count_ngrams, fit_linear_head, fit_ngram_ratios
from tests.training.examples import VOCABULARY, model_config, training_config, write_packed

BUCKETS, FOLDS = 1 << 20, 3  # so many that no two n-grams of these tests share one
HEAD_BUCKETS = 5000
ALONE = Ranks(0, 1)


@pytest.fixture
def reviews(tmp_path: Path) -> PackedReviews:
    return open_packed(write_packed(tmp_path / "train", 60, seed=0, longest=12), VOCABULARY)


def words(reviews: PackedReviews, row: int) -> list[int]:
    return list(reviews.ids[reviews.offsets[row] : reviews.offsets[row + 1]].tolist())


def column(ids: list[int]) -> tuple[Tensor, Tensor]:
    return torch.tensor(ids, dtype=torch.int64)[:, None], torch.arange(len(ids))[:, None]


def ratio_of(gram: tuple[int, ...], rows: list[int], reviews: PackedReviews) -> float:
    """The log-count ratio of an n-gram over the reviews `rows`, in the plainest form."""
    counts = [Counter[tuple[int, ...]](), Counter[tuple[int, ...]]()]
    for row in rows:
        ids = words(reviews, row)
        for size in (1, 2):
            counts[reviews.labels[row]].update({tuple(ids[at : at + size]) for at in range(len(ids) - size + 1)})
    if counts[0][gram] + counts[1][gram] < 2:
        return 0.0
    probabilities = [(counts[label][gram] + 1) / (counts[label].total() + BUCKETS) for label in (0, 1)]
    return math.log(probabilities[1] / probabilities[0])


def test_ratios_are_those_of_a_plain_count(reviews: PackedReviews) -> None:
    module = NgramRatios(2, BUCKETS)
    fitted = fit_ngram_ratios(module, reviews, FOLDS, ALONE)
    for row in (0, 1, 2, 50):
        ids = words(reviews, row)
        others = [other for other in range(len(reviews)) if other % FOLDS != row % FOLDS]
        own = module(*column(ids))[:, 0]
        crossed = fitted.of_reviews(*column(ids), torch.tensor([row]))[:, 0]
        for at in range(len(ids)):
            for size in (1, 2):
                gram = tuple(ids[at - size + 1 : at + 1]) if at + 1 >= size else None
                every = list(range(len(reviews)))
                assert own[at, size - 1] == pytest.approx(ratio_of(gram, every, reviews) if gram else 0, abs=1e-6)
                assert crossed[at, size - 1] == pytest.approx(ratio_of(gram, others, reviews) if gram else 0, abs=1e-6)


def test_a_review_never_meets_its_own_label(reviews: PackedReviews) -> None:
    row = int(reviews.lengths.argmax())
    assert len(words(reviews, row)) > 3
    turned = np.array(reviews.labels)
    turned[row] ^= 1
    other = PackedReviews(reviews.folder, reviews.ids, reviews.offsets, turned, reviews.lengths)
    seen = [
        fit_ngram_ratios(NgramRatios(2, BUCKETS), each, FOLDS, ALONE).of_reviews(
            *column(words(each, row)), torch.tensor([row])
        )
        for each in (reviews, other)
    ]
    assert torch.equal(*seen)


def test_pieces_and_processes_count_the_same(reviews: PackedReviews, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _count_ngrams(NgramRatios(2, 500), reviews, FOLDS, ALONE, lambda: None)
    monkeypatch.setattr(fits, "_COUNTED_AT_ONCE", 7)
    parts = [_count_ngrams(NgramRatios(2, 500), reviews, FOLDS, Alone(rank, 4), lambda: None) for rank in range(4)]
    assert torch.equal(torch.stack(parts).sum(0), whole)


class Alone(Ranks):
    """One of several processes that does not add up what the others counted."""

    def all_reduce(self, values: Tensor) -> Tensor:
        return values


def accuracy(head: LinearHead, reviews: PackedReviews) -> float:
    correct = 0
    for row in range(len(reviews)):
        ids = reviews.ids[reviews.offsets[row] : reviews.offsets[row + 1]].tolist()
        score = head(torch.tensor(ids)[:, None], torch.tensor([len(ids)])).item() if ids else 0.0
        correct += (score > 0) == bool(reviews.labels[row])
    return correct / len(reviews)


@pytest.fixture(scope="module")
def more_reviews(tmp_path_factory: pytest.TempPathFactory) -> PackedReviews:
    return open_packed(write_packed(tmp_path_factory.mktemp("packed"), 300, seed=0, longest=20), VOCABULARY)


def fitted(reviews: PackedReviews, epochs: int) -> LinearHead:
    ratios = NgramRatios(1, HEAD_BUCKETS)
    fit_ngram_ratios(ratios, reviews, 3, Ranks(0, 1))
    head = LinearHead(1, HEAD_BUCKETS)
    figures: list[Mapping[str, float]] = []
    truncation, config = model_config(ngrams=1).truncation, training_config(linear_epochs=epochs)
    fit_linear_head(head, ratios.ratios, reviews, truncation, config, lambda: None, figures.append)
    assert 0 < len(figures) <= fits._FIGURES
    return head


def test_the_head_learns(more_reviews: PackedReviews) -> None:
    head = fitted(more_reviews, epochs=20)
    assert accuracy(head, more_reviews) > 0.9
    negative, positive = hash_ngrams(torch.tensor([2, 3]), torch.tensor([0, 0]), 1, HEAD_BUCKETS).flatten()
    assert head.weights[negative] < 0 < head.weights[positive]
    assert not head.weights[0]


def test_the_head_is_fitted_the_same_way_every_time(more_reviews: PackedReviews) -> None:
    one, other = fitted(more_reviews, 1), fitted(more_reviews, 1)
    assert torch.equal(one.weights, other.weights)
    assert torch.equal(one.bias, other.bias)


def test_a_check_can_end_the_fit(more_reviews: PackedReviews) -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit_linear_head(
            LinearHead(1, HEAD_BUCKETS),
            torch.zeros(HEAD_BUCKETS),
            more_reviews,
            model_config().truncation,
            training_config(),
            stop,
            lambda each: None,
        )
