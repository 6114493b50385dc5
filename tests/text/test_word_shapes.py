import numpy as np
import pyarrow as pa
import pytest

from sentiment_pipeline.text.ragged import list_array
from sentiment_pipeline.text.tokenizer import known_words
from sentiment_pipeline.text.word_shapes import _STAND_IN, _align, _collapse, tokenize_chunks


def collapsed(text: str) -> str:
    return _collapse(np.frombuffer(text.encode(), np.uint8))[0].tobytes().decode()


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("wonderful, ", "qx, "),
        ("good-looking ", "qx-qx "),
        ("a ", "a "),
        ("cannot ", "cannot "),
        ("mrs. ", "mrs. "),
        ("isn't ", "isn't "),
        ("they'll ", "qx'll "),
        ("o'clock ", "o'qx "),
        ("dhawan's ", "qx's "),
        ("dhawan't, ", "dhawan't, "),
        ("'twas ", "'twas "),
        ("twas ", "qx "),
        ("naïve ", "qxïqx "),
        ("great00 ", "qx00 "),
    ],
)
def test_words_that_no_rule_names_are_collapsed(text: str, shape: str) -> None:
    assert collapsed(text) == shape


def test_the_stand_in_is_a_word_that_no_rule_names() -> None:
    assert _STAND_IN.tobytes().decode() not in known_words()


def test_kept_positions_lead_back_to_the_text() -> None:
    text = b"wonderful, isn't it\n"
    shape, kept = _collapse(np.frombuffer(text, np.uint8))
    assert kept[-1] == len(text)
    assert [text[position] for position in kept[2:-1]][:3] == list(b", i")
    assert len(shape) == len(kept) - 1


def test_tokens_of_each_chunk() -> None:
    tokens = tokenize_chunks(pa.array(['"hello" ', "wonderful, ", " ", "u.s.\n", "cannot ", "isn't ", "it's. "]))
    assert list_array(tokens.counts, tokens.codes).to_pylist() == [
        ["``", "hello", "''"],
        ["wonderful", ","],
        [],
        ["u.s", "."],
        ["can", "not"],
        ["is", "n't"],
        ["it", "'s", "."],
    ]


def test_no_chunks_have_no_tokens() -> None:
    tokens = tokenize_chunks(pa.array([], pa.string()))
    assert len(tokens.codes) == len(tokens.counts) == 0


def test_alignment_counts_bytes() -> None:
    assert _align(["``", "é", ".", "''"], '"é."') == [(0, 1, 0), (1, 3, -1), (3, 4, -1), (4, 5, 2)]
    assert _align(["``", "a"], "''a") == [(0, 2, 0), (2, 3, -1)]


def test_tokens_that_are_not_in_the_text_are_an_error() -> None:
    with pytest.raises((KeyError, IndexError)):
        _align(["b"], "a")
