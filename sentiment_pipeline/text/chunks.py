"""Texts cut into chunks that NLTK tokenizes independently of each other.

Millions of reviews are hundreds of millions of words but only some millions of distinct ones, and what NLTK makes of
a word hardly ever depends on its neighbours. So a text is cut after its spaces, each distinct piece is tokenized once
(`shapes`), and the rest is looking up. Where NLTK does look across a space the pieces stay together:

* after an abbreviation, an initial or a number with a full stop, where Punkt asks the next word whether a sentence
  ends there: such a piece is joined to the next one (AMBIGUOUS);
* at the end of a text, where there is no next word: the last piece is a chunk of a kind of its own, unless its only
  full stops and marks end it, which makes no difference (_PLAIN_END);
* at '' or "" where a sentence may begin, at quotes and brackets that stand alone where one ends, at a space that opens
  the text, and at white space other than the space, which is too rare to be worth an analysis: the whole text is one
  chunk (_OPENING, _CLOSING, _ODD).

Joining more than necessary is always exact; a text that is one chunk is plain NLTK. The tests compare with NLTK on
random text.
"""

import functools
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pipeline.text.ragged import bytes_of, string_array, take_slices
from sentiment_pipeline.text.tokenizer import abbreviation_words

__all__ = ["INNER", "NEUTRAL", "Chunks", "split_chunks"]

INNER, _LAST = " ", "\n"  # what a chunk ends with: more text follows it, or it ends its text
NEUTRAL = "\uab30"  # a letter that no rule of NLTK knows and that stands for "some word" beside a chunk

_PLAIN_END = r"^[^.?!]*(?:[^.?!']|\.+|[?!]+)$"
_OPENING = r"""^(?:''|""|"'')"""
_CLOSERS = r"""[\])}>"'‘’“”«»]+"""
_CLOSING = rf"^{_CLOSERS}(?:--| ?$)"
_ODD = rf"[[\s\x00-\x1f{NEUTRAL}]--[ ]]"

# What a piece is: it stays with the next one; its text stays whole; it does if _BEFORE_CLOSING comes before, or
# _BEFORE_OPENING or nothing; nothing but a space; it ends its text and that makes no difference.
_JOINS_NEXT, _WHOLE_TEXT, _CLOSES, _BEFORE_CLOSING, _OPENS, _BEFORE_OPENING, _EMPTY, _PLAIN_LAST = (
    1 << bit for bit in range(8)
)


@functools.cache
def _ambiguous() -> str:
    """Matches a piece at whose full stop Punkt cannot tell, without the next word, whether a sentence ends."""
    words = "|".join(sorted(abbreviation_words()))
    return rf"(?:(?-u:\b)(?:\w|{words})|[0-9,-]|[^\x00-\x7f])\. ?$"


@dataclass(frozen=True)
class Chunks:
    """Texts as chunks.

    Attributes:
        codes: dictionary array, the chunks of all texts one after the other; each ends with INNER or _LAST. The
            dictionary may hold a chunk twice, or some that no text has.
        counts: int32, shape (texts,): how many chunks each text has.
    """

    codes: pa.DictionaryArray
    counts: np.ndarray


def split_chunks(texts: pa.StringArray) -> Chunks:
    """Cut cleaned texts into chunks.

    Args:
        texts: lower-case texts, together less than 2 GiB, without nulls.
    """
    text, offsets = bytes_of(texts)
    ends = _stripped_ends(text, offsets)
    is_cut = np.zeros(len(text) + 1, bool)
    np.equal(text, ord(" "), out=is_cut[1:])
    is_cut[offsets] = is_cut[ends] = True

    cuts = np.flatnonzero(is_cut).astype(np.int32)
    pieces = string_array(cuts, text).dictionary_encode()
    kinds = _kinds_of(pieces.dictionary)
    kind = kinds[pieces.indices.to_numpy()]
    is_left = np.ones(len(cuts), bool)
    for first, last in _whole_rows(kind, cuts, offsets, ends):
        is_left[first + 1 : last] = False
    _join_next(is_left, kind)
    left = np.flatnonzero(is_left)
    bounds = cuts[left]
    counts = np.diff(np.searchsorted(bounds, offsets)).astype(np.int32)
    return Chunks(_encode_chunks(text, pieces, kinds, left, bounds), counts)


def _stripped_ends(text: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Where each text ends without the spaces at its end, which NLTK ignores; int32, shape (texts,)."""
    ends = offsets[1:].copy()
    filled = np.flatnonzero(ends > offsets[:-1])
    for row in filled[text[ends[filled] - 1] == ord(" ")].tolist():
        start = offsets[row]
        ends[row] = start + len(text[start : ends[row]].tobytes().rstrip(b" "))
    return ends


def _kinds_of(distinct: pa.StringArray) -> np.ndarray:
    """What each distinct piece is: a sum of the constants above; uint8."""
    kinds = np.zeros(len(distinct), np.uint8)  # a word and a space is nothing special
    others = np.flatnonzero(~pl.Series(distinct).str.contains(r"^[a-z]+ $").to_numpy())
    pieces = pl.Series(distinct.take(pa.array(others)))

    def matching(pattern: str) -> np.ndarray:
        return pieces.str.contains(pattern).to_numpy()

    inner, joins, opens, closes = matching(" $"), matching(_ambiguous()), matching(_OPENING), matching(_CLOSING)
    whole = matching(_ODD) | (opens & joins) | ((opens | closes) & ~inner)
    plain = matching(_PLAIN_END) & ~inner & ~joins & ~whole
    facts = {
        _JOINS_NEXT: joins & inner,
        _WHOLE_TEXT: whole,
        _CLOSES: closes,
        _BEFORE_CLOSING: matching(r"^ $|\. $"),
        _OPENS: opens,
        _BEFORE_OPENING: matching(r"^[^a-z0-9]*$|[.?!]"),
        _EMPTY: matching("^ $"),
        _PLAIN_LAST: plain,
    }
    kinds[others] = sum(is_so.astype(np.uint8) * np.uint8(fact) for fact, is_so in facts.items())
    return kinds


def _whole_rows(kind: np.ndarray, cuts: np.ndarray, offsets: np.ndarray, ends: np.ndarray) -> list[list[int]]:
    """The first and the last cut of each text that must stay whole."""
    doubtful = np.flatnonzero(kind & (_WHOLE_TEXT | _CLOSES | _OPENS))
    # Before a text's first piece comes another text's last one; that can only keep more texts whole.
    this, before = kind[doubtful], kind[doubtful - 1]
    is_whole = (this & _WHOLE_TEXT) != 0
    is_whole |= ((this & _CLOSES) != 0) & ((before & _BEFORE_CLOSING) != 0)
    is_whole |= ((this & _OPENS) != 0) & ((before & _BEFORE_OPENING) != 0)
    filled = np.flatnonzero(offsets[1:] > offsets[:-1])
    opened = filled[(kind[np.searchsorted(cuts, offsets[filled])] & (_EMPTY | _OPENS)) != 0]
    rows = np.searchsorted(offsets, cuts[doubtful[is_whole]], side="right") - 1
    rows = np.unique(np.concatenate([rows, opened]))
    return np.searchsorted(cuts, np.stack([offsets[rows], ends[rows]], axis=1)).tolist()


def _join_next(is_left: np.ndarray, kind: np.ndarray) -> None:
    """Undo the cuts after ambiguous pieces, and after the empty ones that follow them."""
    joined = np.flatnonzero(kind & _JOINS_NEXT)
    while len(joined):
        is_left[joined + 1] = False
        joined = joined[(kind[joined + 1] & _EMPTY) != 0] + 1


def _encode_chunks(
    text: np.ndarray, pieces: pa.DictionaryArray, kinds: np.ndarray, left: np.ndarray, bounds: np.ndarray
) -> pa.DictionaryArray:
    """The chunks between the cuts that are left: single pieces keep their codes, joined ones get new ones.

    Args:
        left: which cuts these are.
        bounds: where they are in the text.
    """
    codes = pieces.indices.to_numpy()[left[:-1]]
    joined = np.flatnonzero(np.diff(left) > 1)
    new = take_slices(text, bounds[joined], bounds[joined + 1]).dictionary_encode()
    codes[joined] = len(pieces.dictionary) + new.indices.to_numpy()
    kinds = np.concatenate([kinds, np.zeros(len(new.dictionary), np.uint8)])
    distinct = pa.concat_arrays([pieces.dictionary, new.dictionary])
    return pa.DictionaryArray.from_arrays(codes, _with_ends(distinct, kinds))


def _with_ends(distinct: pa.StringArray, kinds: np.ndarray) -> pa.StringArray:
    """Each chunk with INNER or _LAST at its end; a plain last one is as good as an inner one.

    A piece that keeps its text whole is either all of it or no chunk at all.
    """
    is_inner = pc.and_(pc.ends_with(distinct, INNER), pa.array((kinds & _WHOLE_TEXT) == 0))
    end = pc.if_else(is_inner, "", pc.if_else(pa.array((kinds & _PLAIN_LAST) != 0), INNER, _LAST))
    return pc.binary_join_element_wise(distinct, end, "")
