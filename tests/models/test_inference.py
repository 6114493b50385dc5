import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pipeline.models.inference import _groups, logits
from sentiment_pipeline.models.sentiment import SentimentModel
from tests.training.examples import VOCABULARY, model_config

LENGTHS = st.lists(st.integers(0, 60), max_size=40)


@pytest.fixture(scope="module", params=["right", "left"])
def model(request: pytest.FixtureRequest) -> SentimentModel:
    torch.manual_seed(0)
    return SentimentModel(model_config(padding=request.param, ngrams=0), VOCABULARY)


@settings(max_examples=40)
@given(lengths=LENGTHS, tokens=st.integers(1, 500), seed=st.integers(0, 5))
def test_order_and_batches_change_no_score(model: SentimentModel, lengths: list[int], tokens: int, seed: int) -> None:
    offsets = np.cumsum([0, *lengths])
    ids = np.random.default_rng(seed).integers(0, VOCABULARY, offsets[-1])
    scores = logits(model, ids, offsets, tokens=tokens)
    assert scores.dtype == np.float32
    for row, score in enumerate(scores):
        alone = logits(model, ids[offsets[row] : offsets[row + 1]], np.array([0, lengths[row]]))
        assert score == pytest.approx(alone[0], abs=1e-5)
    some = np.arange(0, len(scores), 2)
    found = logits(model, ids, offsets, tokens=tokens, rows=some)
    assert np.allclose(found[some], scores[some], atol=1e-5)
    assert not found[1::2].any()


@settings(max_examples=100)
@given(lengths=LENGTHS, tokens=st.integers(1, 200), padded=st.booleans(), reviews=st.integers(1, 9))
def test_a_batch_is_never_larger_than_allowed(lengths: list[int], tokens: int, padded: bool, reviews: int) -> None:
    made = list(_groups(np.array(lengths, np.int64), 30, padded, tokens, reviews))
    assert sorted(row for rows in made for row in rows) == list(range(len(lengths)))
    for rows in made:
        time = 30 if padded else min(30, max(1, *(lengths[row] for row in rows), 0))
        assert len(rows) == 1 or len(rows) * time <= tokens
        assert len(rows) <= reviews


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_number_of_threads_changes_no_bit(model: SentimentModel, dtype: torch.dtype) -> None:
    lengths = np.random.default_rng(0).integers(0, 60, 2000)
    offsets = np.cumsum([0, *lengths])
    ids = np.random.default_rng(1).integers(0, VOCABULARY, offsets[-1])
    threads, found = torch.get_num_threads(), []
    try:
        for number in (1, 2, 5):
            torch.set_num_threads(number)
            found.append(logits(model, ids, offsets, dtype))
            assert torch.get_num_threads() == number
    finally:
        torch.set_num_threads(threads)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_scoring_leaves_the_model_as_it_was(model: SentimentModel) -> None:
    model.train()
    logits(model, np.array([2, 3]), np.array([0, 2]))
    assert model.training


def test_a_check_can_end_it(model: SentimentModel) -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        logits(model, np.array([2, 3]), np.array([0, 2]), check=stop)
    with pytest.raises(InterruptedError):  # in threads
        logits(model, np.full(2000, 2), np.arange(2001), check=stop)
