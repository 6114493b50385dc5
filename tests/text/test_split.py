import numpy as np
import pytest

from sentiment_pipeline.text.config import SplitConfig
from sentiment_pipeline.text.split import _TEST, _VALIDATION, TRAIN, _mix, _uniform, splits_of

HELD_OUT = SplitConfig("train", 0.05, 7)
HALVES = SplitConfig("test", 0.0, 0)


def test_the_split_of_a_review_does_not_depend_on_shards() -> None:
    whole = splits_of(HELD_OUT, "train", 0, 1000, 1000)
    shards = [splits_of(HELD_OUT, "train", first, 100, 1000) for first in range(0, 1000, 100)]
    assert np.concatenate(shards).tolist() == whole.tolist()


def test_the_fraction_of_the_training_lines_is_held_out() -> None:
    drawn = splits_of(HELD_OUT, "train", 0, 200_000, 200_000)
    assert set(drawn) == {TRAIN, _VALIDATION}
    assert abs((drawn == _VALIDATION).mean() - 0.05) < 5 * (0.05 * 0.95 / 200_000) ** 0.5
    assert set(splits_of(HELD_OUT, "test", 0, 1000, 1000)) == {_TEST}


def test_another_seed_holds_out_others() -> None:
    first, second = (splits_of(SplitConfig("train", 0.5, seed), "train", 0, 10_000, 10_000) for seed in (1, 2))
    assert abs((first == second).mean() - 0.5) < 0.03


@pytest.mark.parametrize("total", [1, 10, 11])
def test_the_first_half_of_the_test_lines_validates(total: int) -> None:
    half = total // 2
    assert splits_of(HALVES, "test", 0, total, total).tolist() == [_VALIDATION] * half + [_TEST] * (total - half)
    assert set(splits_of(HALVES, "train", 0, 100, 100)) == {TRAIN}


def test_numbers_are_those_of_splitmix64() -> None:
    """The first outputs for seed 1234567 of the reference implementation (Vigna), from its state."""
    states = (np.arange(1, 4, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) + np.uint64(1234567)
    assert _mix(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_numbers_are_uniform() -> None:
    numbers = _uniform(3, np.arange(100_000, dtype=np.uint64))
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = np.histogram(numbers, 20, (0, 1))[0]
    assert ((counts - 5000) ** 2 / 5000).sum() < 60
