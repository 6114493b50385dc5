import doctest
from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pipeline.data import batches
from sentiment_pipeline.data.batches import assemble, gather_ids
from sentiment_pipeline.data.packed import open_packed
from sentiment_pipeline.data.truncation import Truncation
from tests.training.examples import VOCABULARY, write_packed

REVIEWS = st.lists(st.lists(st.integers(1, 9), max_size=12), min_size=1, max_size=6)


def plain_column(review: list[int], truncation: Truncation, time: int) -> list[int]:
    """One review's column, in the plainest form."""
    if len(review) > truncation.length:
        review = review[: truncation.length - truncation.tail] + review[len(review) - truncation.tail :]
    padding = [0] * (time - len(review))
    return padding + review if truncation.padding == "left" else review + padding


@settings(max_examples=200)
@given(reviews=REVIEWS, length=st.integers(1, 10), tail=st.integers(0, 10), left=st.booleans())
def test_ids_are_gathered_as_a_loop_would(reviews: list[list[int]], length: int, tail: int, left: bool) -> None:
    truncation = Truncation(length, min(tail, length), "left" if left else "right")
    flat = np.array([each for review in reviews for each in review], np.uint16)
    offsets = np.cumsum([0, *map(len, reviews)])
    rows = np.arange(len(reviews))[::-1]
    ids, kept = gather_ids(flat, offsets, rows, truncation)
    time = length if left else max(1, *(min(len(review), length) for review in reviews), 0)
    assert ids.dtype == np.int32
    assert ids.T.tolist() == [plain_column(reviews[row], truncation, time) for row in rows]
    assert kept.tolist() == [min(len(reviews[row]), length) for row in rows]


def test_a_batch_holds_its_reviews(tmp_path: Path) -> None:
    reviews = open_packed(write_packed(tmp_path, 50, seed=5), VOCABULARY)
    truncation = Truncation(20, 5, "right")
    batch = assemble(reviews, np.array([7, 3, 49]), 12, truncation)
    assert batch.buffer.dtype == torch.int32
    assert batch.rows.tolist() == [7, 3, 49]
    assert (batch.reviews, batch.total, batch.tokens) == (3, 12, batch.lengths.sum())
    assert batch.ids.shape == (batch.time, 3)
    for column, row in enumerate(batch.rows.tolist()):
        ids = reviews.ids[reviews.offsets[row] : reviews.offsets[row + 1]].tolist()
        assert batch.ids[:, column].tolist() == plain_column(ids, truncation, batch.time)
        assert batch.lengths[column] == min(len(ids), 20)
        assert batch.labels[column] == reviews.labels[row]


def test_the_example_in_the_docstring() -> None:
    assert doctest.testmod(batches) == (0, 3)
