import pytest

from sentiment_pipeline.sample.lexicon import _SENTIMENT, TOPIC_COUNT, TOPICS, tables


@pytest.mark.parametrize("name", tables())
def test_rows_are_of_equal_length_and_entries_distinct(name: str) -> None:
    table = tables()[name]
    assert table.ndim == 2
    assert len(table) == (2 if name in _SENTIMENT else TOPIC_COUNT if name in TOPICS else 1)
    for row in table:
        assert len(set(row)) == len(row) or name == "."


def test_no_word_is_both_negative_and_positive() -> None:
    for name in _SENTIMENT:
        negative, positive = tables()[name]
        assert not set(negative) & set(positive)


def test_a_bar_stands_for_a_space() -> None:
    assert "New York" in tables()["place"][0]
    assert not any("|" in entry for table in tables().values() for entry in table.ravel())
