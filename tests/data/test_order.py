import doctest
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pipeline.data import order as order_module
from sentiment_pipeline.data.order import Order, _rows_between


def make_order(
    reviews: int, batch_size: int, seed: int, by_length: bool, old: float = 0.0, replay: float = 1.0
) -> Order:
    lengths = np.random.default_rng(seed).integers(0, 50, reviews, dtype=np.int32)
    return Order(reviews, batch_size, seed, lengths if by_length else None, 30, round(old * reviews), replay)


SIZES = st.integers(1, 3000), st.integers(1, 200), st.integers(0, 10), st.booleans()
SOME = st.builds(make_order, *SIZES)
GROWN = st.builds(make_order, *SIZES, st.floats(0, 1), st.floats(0.01, 1))


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_module, "_WINDOW", 1000)
    monkeypatch.setattr(order_module, "_BLOCK", 16)
    monkeypatch.setattr(order_module, "_POOL", 4)


@settings(max_examples=60)
@given(order=SOME, epoch=st.integers(0, 5))
def test_every_review_comes_once_an_epoch(order: Order, epoch: int) -> None:
    batches = list(order.rows(epoch, 0))
    assert len(batches) == order.batches
    assert all(len(rows) == order.batch_size for rows in batches[:-1])
    assert np.array_equal(np.sort(np.concatenate(batches)), np.arange(order.reviews))


@settings(max_examples=60)
@given(order=GROWN, epoch=st.integers(0, 5))
def test_an_epoch_reads_a_share_of_the_old_reviews_and_all_new_ones(order: Order, epoch: int) -> None:
    rows = np.concatenate([np.empty(0, np.int64), *order.rows(epoch, 0)])
    assert len(np.unique(rows)) == len(rows)
    assert (rows < order.old).sum() == round(order.replay * order.old)
    assert np.array_equal(np.sort(rows[rows >= order.old]), np.arange(order.old, order.reviews))
    assert len(list(order.rows(epoch, 0))) == order.batches


def test_another_share_is_read_in_each_epoch() -> None:
    order = make_order(3000, 10, 0, by_length=False, old=0.9, replay=0.2)
    first, second = ({*np.concatenate(list(order.rows(epoch, 0))).tolist()} for epoch in (0, 1))
    assert len(first) == len(second) == 300 + 540
    assert 300 <= len(first & second) < 300 + 250


@settings(max_examples=60)
@given(order=SOME | GROWN, epoch=st.integers(0, 5), part=st.floats(0, 1))
def test_any_batch_is_found_without_those_before_it(order: Order, epoch: int, part: float) -> None:
    start = round(part * order.batches)
    late, all_of_them = list(order.rows(epoch, start)), list(order.rows(epoch, 0))
    assert [rows.tolist() for rows in late] == [rows.tolist() for rows in all_of_them[start:]]


def test_the_order_changes_with_the_epoch_and_the_seed() -> None:
    first, second, other = (
        np.concatenate(list(Order(2000, 10, seed, None, 1).rows(epoch, 0))) for seed, epoch in ((0, 0), (0, 1), (1, 0))
    )
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_neighbours_are_separated() -> None:
    rows = np.concatenate(list(Order(20_000, 10, 0, None, 1).rows(0, 0)))
    assert np.mean(np.abs(np.diff(rows)) < 16) < 0.05
    assert np.corrcoef(rows, np.arange(len(rows)))[0, 1] < 0.2


def test_batches_hold_reviews_of_similar_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    lengths = np.random.default_rng(0).lognormal(4.3, 0.7, 200_000).astype(np.int32).clip(1, 1000)
    padded = sum(
        lengths[rows].clip(max=400).max() * len(rows) for rows in Order(len(lengths), 256, 0, lengths, 400).rows(0, 0)
    )
    assert 1 - lengths.clip(max=400).sum() / padded < 0.05


def test_batches_of_different_lengths_are_mixed() -> None:
    lengths = np.arange(4000) % 50
    means = np.array([lengths[rows].mean() for rows in Order(4000, 20, 0, lengths, 50).rows(0, 0)])
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.2


def test_memory_hardly_grows_with_the_reviews(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    def peak(reviews: int) -> int:
        tracemalloc.start()
        next(iter(Order(reviews, 400, 0, None, 1).rows(0, reviews // 800)))
        result = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return result

    assert peak(100_000_000) - peak(1_000_000) < 0.25 * 100_000_000


def test_rows_between_positions_of_blocks_laid_end_to_end() -> None:
    sizes, starts = np.array([2, 1, 3]), np.array([10, 0, 20])
    joined = [10, 11, 0, 20, 21, 22]
    for first in range(6):
        for last in range(first + 1, 7):
            assert _rows_between(sizes, starts, first, last).tolist() == joined[first:last]


def test_the_example_in_the_docstring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert doctest.testmod(order_module) == (0, 5)
