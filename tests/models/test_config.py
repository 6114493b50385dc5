from typing import Any

import pytest

from sentiment_pipeline.data.truncation import Truncation
from tests.training.examples import model_config


@pytest.mark.parametrize(
    ("changes", "has_head"),
    [({}, True), (dict(linear_length=0), False), (dict(ngrams=0), False), (dict(padding="left"), False)],
)
def test_a_linear_head_needs_n_grams_and_padding_on_the_right(changes: dict[str, Any], has_head: bool) -> None:
    assert model_config(**changes).has_linear_head == has_head


@pytest.mark.parametrize(("linear_length", "length"), [(0, 20), (10, 20), (25, 25)])
def test_the_whole_model_reads_as_much_as_its_longest_part(linear_length: int, length: int) -> None:
    config = model_config(length=20, tail=5, linear_length=linear_length)
    assert config.lstm_truncation == Truncation(20, 5, "right")
    assert config.truncation == Truncation(length, 5, "right")


def test_padding_is_part_of_the_truncation() -> None:
    config = model_config(padding="left", linear_length=100)
    assert config.truncation == config.lstm_truncation == Truncation(20, 5, "left")
