"""Chunks tokenized one by one are NLTK's tokens of the whole texts.

`FUZZ_TEXTS=3000000 FUZZ_SEED=7 pytest tests/text/test_chunks.py` compares millions of random texts.
"""

import os
import random
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_pipeline.text.chunks import _LAST, INNER, split_chunks
from sentiment_pipeline.text.ragged import list_array
from sentiment_pipeline.text.tokenizer import word_tokenizer
from sentiment_pipeline.text.word_shapes import tokenize_chunks
from tests.text.texts import cleaned, random_letters, random_stop, random_text

BATCH = 2_000
FUZZ_TEXTS = int(os.environ.get("FUZZ_TEXTS", "6000"))
FUZZ_SEED = int(os.environ.get("FUZZ_SEED", "1"))


def tokens_of(texts: list[str]) -> list[list[str]]:
    """The tokens of each text, from its chunks."""
    chunks = split_chunks(pa.array(texts, pa.string()))
    tokens = tokenize_chunks(chunks.codes.dictionary)
    of_chunk = list_array(tokens.counts, tokens.codes).to_pylist()
    codes = list_array(chunks.counts, chunks.codes.indices).to_pylist()
    return [[token for code in text for token in of_chunk[code]] for text in codes]


@pytest.mark.parametrize("make", [random_text, random_letters, random_stop])
def test_random_texts_have_nltks_tokens(make: Callable[[random.Random], str]) -> None:
    draw = random.Random(FUZZ_SEED)
    for _ in range(0, FUZZ_TEXTS, 3 * BATCH):
        texts = [make(draw) for _ in range(BATCH)]
        for text, tokens in zip(texts, tokens_of(texts), strict=True):
            assert tokens == word_tokenizer()(text), repr(text)


@given(st.lists(st.text().map(cleaned)))
def test_any_texts_have_nltks_tokens(texts: list[str]) -> None:
    assert tokens_of(texts) == [word_tokenizer()(text) for text in texts]


@given(st.lists(st.text(st.sampled_from("ab.' \"0\t"), max_size=12), min_size=1))
def test_chunks_are_the_text_and_only_the_last_one_ends_it(texts: list[str]) -> None:
    chunks = split_chunks(pa.array(texts, pa.string()))
    pieces = iter(chunks.codes.to_pylist())
    for text, count in zip(texts, chunks.counts, strict=True):
        mine = [next(pieces) for _ in range(count)]
        assert "".join(piece[:-1] if piece[-1] == _LAST else piece for piece in mine).rstrip(" ") == text.rstrip(" ")
        filled = [piece for piece in mine if piece != INNER]
        assert not any(piece.endswith(_LAST) for piece in filled[:-1])
    assert next(pieces, None) is None


@pytest.mark.parametrize(
    ("text", "chunks"),
    [
        ("i liked it. a lot", ["i ", "liked ", "it. ", "a ", "lot "]),
        ("mr. smith came", ["mr. smith ", "came "]),
        ("mr. 0.  of it", ["mr. 0.  of ", "it "]),
        ("it ends here.", ["it ", "ends ", "here. "]),
        ("born in the u.s.", ["born ", "in ", "the ", "u.s.\n"]),
        ("so! ''well''", ["so! ''well''\n"]),
        ("so! ''well'' then", ["so! ''well'' then\n"]),
        ("''well'' then", ["''well'' then\n"]),
        ("all is ''well'' then", ["all ", "is ", "''well'' ", "then "]),
        ("so! \" ''well'' then", ["so! \" ''well'' then\n"]),
        ("all is ''well''", ["all is ''well''\n"]),
        ("so there. ) yes", ["so there. ) yes\n"]),
        ("a\ttab here", ["a\ttab here\n"]),
        (" space first", [" space first\n"]),
        ("spaces  last  ", ["spaces ", " ", "last ", " ", " "]),
    ],
)
def test_where_texts_are_split(text: str, chunks: list[str]) -> None:
    assert split_chunks(pa.array([text])).codes.to_pylist() == chunks


def test_slices_of_an_array_are_split_like_arrays() -> None:
    texts = pa.array(["not this", "mr. smith came", "", "nor that"])
    assert (
        split_chunks(texts.slice(1, 2)).codes.to_pylist()
        == split_chunks(texts.slice(1, 2).take([0, 1])).codes.to_pylist()
    )
    assert split_chunks(texts.slice(1, 2)).counts.tolist() == [2, 0]


def test_no_texts_have_no_chunks() -> None:
    assert len(split_chunks(pa.array([], pa.string())).codes) == 0
