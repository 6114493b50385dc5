import numpy as np
import pyarrow as pa
import pytest

from sentiment_pipeline.text.config import SplitConfig
from sentiment_pipeline.text.split import _TEST, _VALIDATION, TRAIN, SplitRule, _mix, _uniform, text_hashes

HELD_OUT = SplitConfig("train", 0.05, 7)
HALVES = SplitConfig("test", 0.0, 0)
TEXTS = pa.chunked_array([[f"review {number} " for number in range(100_000)]])


def test_the_split_of_a_training_review_depends_on_its_text_alone() -> None:
    hashes = text_hashes(TEXTS)
    whole = SplitRule(HELD_OUT, "train").of(hashes)
    shuffled = np.random.default_rng(0).permutation(len(hashes))
    elsewhere = SplitRule(HELD_OUT, "train", first=1000, total=5000).of(hashes[shuffled], row=3)
    assert elsewhere.tolist() == whole[shuffled].tolist()


def test_the_fraction_of_the_training_reviews_is_held_out() -> None:
    drawn = SplitRule(HELD_OUT, "train").of(text_hashes(TEXTS))
    assert set(drawn) == {TRAIN, _VALIDATION}
    assert abs((drawn == _VALIDATION).mean() - 0.05) < 5 * (0.05 * 0.95 / len(drawn)) ** 0.5
    assert set(SplitRule(HELD_OUT, "test", total=1000).of(np.zeros(1000, np.uint64))) == {_TEST}


def test_another_seed_holds_out_others() -> None:
    rules = (SplitRule(SplitConfig("train", 0.5, seed), "train") for seed in (1, 2))
    first, second = (rule.of(text_hashes(TEXTS)) for rule in rules)
    assert abs((first == second).mean() - 0.5) < 0.03


@pytest.mark.parametrize("total", [1, 10, 11])
@pytest.mark.parametrize("size", [1, 3, 20])
def test_the_first_half_of_the_test_lines_validates(total: int, size: int) -> None:
    half, found = total // 2, []
    for first in range(0, total, size):
        reviews = min(size, total - first)
        rule = SplitRule(HALVES, "test", first, total)
        found += rule.of(np.zeros(reviews, np.uint64)).tolist()
        names = {_VALIDATION: "validation", _TEST: "test"}
        assert {names[each] for each in found[first:]} == set(rule.possible(reviews))
    assert found == [_VALIDATION] * half + [_TEST] * (total - half)
    assert set(SplitRule(HALVES, "train").of(text_hashes(TEXTS))) == {TRAIN}


def test_the_splits_that_a_shard_may_hold() -> None:
    assert SplitRule(HELD_OUT, "train").possible(1) == ["train", "validation"]
    assert SplitRule(HALVES, "train").possible(1) == ["train"]
    assert SplitRule(HELD_OUT, "test", 0, 10).possible(10) == ["test"]


def test_hashes_are_those_of_the_standards() -> None:
    """The check values of Adler-32 and CRC-32, of the text 123456789."""
    assert text_hashes(pa.chunked_array([["123456789"], [""]])).tolist() == [0x091E01DE_CBF43926, 0x00000001_00000000]


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


def test_dropped_reviews_are_in_no_split_and_move_no_other() -> None:
    hashes = text_hashes(TEXTS)[:100]
    whole, rule = SplitRule(HELD_OUT, "train").of(hashes), SplitRule(HELD_OUT, "train", dropped=(3, 49, 50, 99))
    pieces = np.concatenate([rule.of(hashes[:50]), rule.of(hashes[50:], row=50)])
    assert np.flatnonzero(pieces == 255).tolist() == [3, 49, 50, 99]
    assert (pieces == whole).sum() == 96
    assert rule.dropped_digest != SplitRule(HELD_OUT, "train", dropped=(3, 49, 50)).dropped_digest != ""
    assert SplitRule(HELD_OUT, "train").dropped_digest == ""
