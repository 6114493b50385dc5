import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from sentiment_pipeline.data.packed import PackedReviews, open_packed
from sentiment_pipeline.models.ngram_ratios import NgramRatios, distinct_buckets, hash_ngrams
from sentiment_pipeline.training import evidence as evidences
from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.fits import fit_ngram_ratios
from tests.training.examples import VOCABULARY, write_packed

BUCKETS, FOLDS = 1 << 20, 3  # so many that no two n-grams of these tests share one
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
    shares = [(counts[label][gram] + 1) / (counts[label].total() + BUCKETS) for label in (0, 1)]
    return math.log(shares[1] / shares[0])


def test_ratios_are_those_of_a_plain_count(reviews: PackedReviews) -> None:
    evidence = NgramRatios(2, BUCKETS)
    fitted = fit_ngram_ratios(evidence, reviews, FOLDS, ALONE)
    for row in (0, 1, 2, 50):
        ids = words(reviews, row)
        others = [other for other in range(len(reviews)) if other % FOLDS != row % FOLDS]
        own = evidence(*column(ids))[:, 0]
        crossed = fitted.evidence(*column(ids), torch.tensor([row]))[:, 0]
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
        fit_ngram_ratios(NgramRatios(2, BUCKETS), each, FOLDS, ALONE).evidence(
            *column(words(each, row)), torch.tensor([row])
        )
        for each in (reviews, other)
    ]
    assert torch.equal(*seen)


def test_padding_on_either_side_changes_nothing() -> None:
    ids = torch.tensor([[5], [6], [5], [9]])
    plain = hash_ngrams(ids, torch.arange(4)[:, None], 3, 1000)
    padded = torch.cat([torch.zeros(3, 1, dtype=torch.int64), ids])
    left = hash_ngrams(padded, torch.arange(-3, 4)[:, None], 3, 1000)
    assert torch.equal(left[3:], plain)
    assert not left[:3].any()
    right = hash_ngrams(torch.cat([ids, ids]), torch.arange(8)[:, None], 3, 1000)
    assert torch.equal(right[:4], plain)


def test_n_grams_depend_on_their_words_and_order() -> None:
    def last(*ids: int) -> list[int]:
        return [int(each) for each in hash_ngrams(*column(list(ids)), 3, 1 << 40)[-1, 0]]

    assert last(1, 2, 3) == last(9, 1, 2, 3)
    assert last(1, 2, 3)[1:] != last(3, 2, 1)[1:]
    assert last(4, 2, 3)[1] == last(1, 2, 3)[1]
    assert last(4, 2, 3)[2] != last(1, 2, 3)[2]
    assert len(set(last(7, 7, 7))) == 3


def test_distinct_keeps_each_bucket_once_a_row() -> None:
    kept = distinct_buckets(torch.tensor([[5, 2, 5, 0, 2, 5], [1, 2, 3, 4, 5, 6], [0, 0, 7, 7, 7, 7]]))
    assert [sorted(each for each in row if each) for row in kept.tolist()] == [[2, 5], [1, 2, 3, 4, 5, 6], [7]]


def test_pieces_and_processes_count_the_same(reviews: PackedReviews, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = evidences.count(reviews, NgramRatios(2, 500), FOLDS, ALONE, lambda: None)
    monkeypatch.setattr(evidences, "PIECE", 7)
    parts = [evidences.count(reviews, NgramRatios(2, 500), FOLDS, Alone(rank, 4), lambda: None) for rank in range(4)]
    assert torch.equal(torch.stack(parts).sum(0), whole)


class Alone(Ranks):
    """One of several processes that does not add up what the others counted."""

    def total(self, values: Tensor) -> Tensor:
        return values
