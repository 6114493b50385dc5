import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sentiment_pipeline.sample.lexicon import _SENTIMENT, tables
from sentiment_pipeline.sample.spelling import _MAX_RANK, SPELLINGS, _word, draw_ranks


def test_the_number_of_distinct_ranks_grows_like_a_power() -> None:
    drawn = draw_ranks(np.random.default_rng(0), 400_000)
    assert drawn.min() == 0
    assert drawn.max() > 1 << 30
    distinct = [len(np.unique(drawn[:size])) for size in (50_000, 400_000)]
    exponent = np.log(distinct[1] / distinct[0]) / np.log(8)
    assert 0.6 < exponent < 0.9, "distinct words grow like a power of the length (Heaps' law)"


def test_made_up_words_differ() -> None:
    words = [_word(rank) for rank in range(0, 4_000_000, 40)]
    assert len(set(words)) > 0.97 * len(words)
    assert max(map(len, words)) < 20


def test_frequent_made_up_words_carry_no_sentiment() -> None:
    sentiment = {str(entry) for name in _SENTIMENT for entry in tables()[name].ravel()}
    assert not sentiment & {_word(rank) for rank in range(20_000)}


@given(st.integers(0, _MAX_RANK))
def test_every_spelling_is_one_word_without_spaces(rank: int) -> None:
    for spelling in SPELLINGS.values():
        text = spelling(rank)
        assert text.split() == [text]
        assert spelling(rank) == text
