"""Texts split into chunks that NLTK tokenizes independently of each other.

Millions of reviews are hundreds of millions of words but only some millions of distinct ones, and NLTK's tokens of a
word hardly ever depend on its neighbours. So a text is cut after each space, each distinct piece is tokenized once
(`word_shapes`), and the rest is looking up. Where NLTK does look across a space, the pieces stay together:

* After an abbreviation, an initial or a number with a full stop, Punkt asks the next word whether a sentence ends
  there. Such a piece is joined to the next one.
* At the end of a text there is no next word. So the last piece is a chunk of another kind, with another end, unless its
  only full stops and marks are at its end, where they make no difference.
* At '' or "" where a sentence may begin, at quotes and brackets that stand alone where one ends, at a space that begins
  the text, and at white space other than the space, which is too rare to be worth an analysis, the whole text is one
  chunk.

Joining more than necessary is always exact: a text that is one chunk is tokenized by plain NLTK. The tests compare with
NLTK on random text.
"""

import functools
from dataclasses import dataclass
from enum import IntFlag, auto

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pipeline.text.ragged import bytes_of, string_array, take_slices
from sentiment_pipeline.text.tokenizer import abbreviation_words

__all__ = ["INNER", "NEUTRAL", "Chunks", "split_chunks"]

INNER, _LAST = " ", "\n"  # the end of a chunk: more text follows it, or it ends its text
NEUTRAL = "\uab30"  # a letter that no rule of NLTK knows and that stands for "some word" beside a chunk

_PLAIN_END = r"^[^.?!]*(?:[^.?!']|\.+|[?!]+)$"
_OPENING = r"""^(?:''|""|"'')"""
_CLOSERS = r"""[\])}>"'‘’“”«»]+"""
_CLOSING = rf"^{_CLOSERS}(?:--| ?$)"
_ODD = rf"[[\s\x00-\x1f{NEUTRAL}]--[ ]]"


class _Kind(IntFlag):
    """What is special about a piece of a text; 0 for a word with the space after it.

    Attributes:
        JOINS_NEXT: it ends with a full stop at which Punkt asks the next word, and stays with the next piece: `mr. `.
        WHOLE_TEXT: its text stays whole: white space other than the space is in it, or it would be CLOSES or OPENS but
            ends the text, or it is both OPENS and JOINS_NEXT.
        CLOSES: quotes or brackets that stand alone: `) `. Its text stays whole if it comes after a BEFORE_CLOSING.
        BEFORE_CLOSING: a sentence may end with it: a full stop before the space, or a space alone.
        OPENS: it begins with '' or "": `''well `. Its text stays whole if it comes first or after a BEFORE_OPENING.
        BEFORE_OPENING: a sentence may begin after it: a full stop or mark is in it, or neither letter nor digit.
        EMPTY: a space alone. Its text stays whole if it comes first; after a JOINS_NEXT it joins the next piece too.
        PLAIN_LAST: it ends its text, and its tokens are the same as before another word: `here.`.

    >>> for piece in ["word ", "mr. ", ") ", "''well ", "here."]:
    ...     _Kind(int(_kinds_of(pa.array([piece]))[0]))
    <_Kind: 0>
    <_Kind.JOINS_NEXT|BEFORE_CLOSING|BEFORE_OPENING: 41>
    <_Kind.CLOSES|BEFORE_OPENING: 36>
    <_Kind.OPENS: 16>
    <_Kind.BEFORE_OPENING|PLAIN_LAST: 160>
    """

    JOINS_NEXT = auto()
    WHOLE_TEXT = auto()
    CLOSES = auto()
    BEFORE_CLOSING = auto()
    OPENS = auto()
    BEFORE_OPENING = auto()
    EMPTY = auto()
    PLAIN_LAST = auto()


@dataclass(frozen=True)
class Chunks:
    """Texts as chunks.

    Attributes:
        codes: dictionary array, int32 codes of strings: the chunks of all texts, one text after another. A chunk ends
            with INNER, or with _LAST where that matters. The dictionary may hold a chunk twice, or one that no text
            has.
        counts: number of chunks of each text; int32, [texts].
    """

    codes: pa.DictionaryArray
    counts: np.ndarray


def split_chunks(texts: pa.StringArray) -> Chunks:
    """Split cleaned texts into chunks.

    Args:
        texts: lower-case texts without nulls, less than 2 GiB together.

    `mr. ` stays with the next word. `it.` at the end of a text is the same chunk as inside one. The quote after a
    sentence keeps the third text whole, so its chunk ends with `_LAST`:

    >>> chunks = split_chunks(pa.array(["mr. lee liked it.", "it. was", 'it ends. " so']))
    >>> chunks.codes.to_pylist()
    ['mr. lee ', 'liked ', 'it. ', 'it. ', 'was ', 'it ends. " so\\n']
    >>> chunks.counts.tolist()
    [3, 2, 1]
    """
    text, offsets = bytes_of(texts)
    ends = _stripped_ends(text, offsets)
    is_cut = np.zeros(len(text) + 1, bool)
    np.equal(text, ord(" "), out=is_cut[1:])
    is_cut[offsets] = is_cut[ends] = True

    cuts = np.flatnonzero(is_cut).astype(np.int32)
    pieces = string_array(cuts, text).dictionary_encode()
    kinds_of_distinct = _kinds_of(pieces.dictionary)
    kinds = kinds_of_distinct[pieces.indices.to_numpy()]
    is_kept = np.ones(len(cuts), bool)
    for first, last in _whole_texts(kinds, cuts, offsets, ends):
        is_kept[first + 1 : last] = False
    _join_next(is_kept, kinds)
    kept = np.flatnonzero(is_kept)
    positions = cuts[kept]
    counts = np.diff(np.searchsorted(positions, offsets)).astype(np.int32)
    return Chunks(_encode_chunks(text, pieces, kinds_of_distinct, kept, positions), counts)


def _stripped_ends(text: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The end of each text without the spaces there, which NLTK ignores; int32, [texts]."""
    ends = offsets[1:].copy()
    filled = np.flatnonzero(ends > offsets[:-1])
    for row in filled[text[ends[filled] - 1] == ord(" ")].tolist():
        start = offsets[row]
        ends[row] = start + len(text[start : ends[row]].tobytes().rstrip(b" "))
    return ends


@functools.cache
def _ambiguous() -> str:
    """A pattern for pieces at whose full stop Punkt cannot tell, without the next word, whether a sentence ends."""
    words = "|".join(sorted(abbreviation_words()))
    return rf"(?:(?-u:\b)(?:\w|{words})|[0-9,-]|[^\x00-\x7f])\. ?$"


def _kinds_of(distinct: pa.StringArray) -> np.ndarray:
    """The `_Kind` of each distinct piece; uint8, [pieces]."""
    kinds = np.zeros(len(distinct), np.uint8)
    others = np.flatnonzero(~pl.Series(distinct).str.contains(r"^[a-z]+ $").to_numpy())
    pieces = pl.Series(distinct.take(pa.array(others)))

    def matches(pattern: str) -> np.ndarray:
        return pieces.str.contains(pattern).to_numpy()

    inner, joins, opens, closes = matches(" $"), matches(_ambiguous()), matches(_OPENING), matches(_CLOSING)
    whole = matches(_ODD) | (opens & joins) | ((opens | closes) & ~inner)
    masks = {
        _Kind.JOINS_NEXT: joins & inner,
        _Kind.WHOLE_TEXT: whole,
        _Kind.CLOSES: closes,
        _Kind.BEFORE_CLOSING: matches(r"^ $|\. $"),
        _Kind.OPENS: opens,
        _Kind.BEFORE_OPENING: matches(r"^[^a-z0-9]*$|[.?!]"),
        _Kind.EMPTY: matches("^ $"),
        _Kind.PLAIN_LAST: matches(_PLAIN_END) & ~inner & ~joins & ~whole,
    }
    kinds[others] = sum(mask * np.uint8(kind) for kind, mask in masks.items())
    return kinds


def _is(kinds: np.ndarray, wanted: _Kind) -> np.ndarray:
    """Which of the kinds (uint8) are among those that are wanted; bool, of the same shape."""
    return (kinds & np.uint8(wanted)) != 0  # of a plain _Kind, NumPy would make 64-bit integers


def _whole_texts(kinds: np.ndarray, cuts: np.ndarray, offsets: np.ndarray, ends: np.ndarray) -> list[list[int]]:
    """The indices of the first and the last cut of each text that must stay whole.

    Args:
        kinds: the kind of each piece; uint8, [cuts - 1].
        cuts: where pieces begin, and the last one ends; int32.
        offsets: where texts begin, and the last one ends; int32, [texts + 1].
        ends: where texts end without the spaces there; int32, [texts].
    """
    special = np.flatnonzero(_is(kinds, _Kind.WHOLE_TEXT | _Kind.CLOSES | _Kind.OPENS))
    # Before the first piece of a text comes the last one of another; that can only keep more texts whole.
    this, before = kinds[special], kinds[special - 1]
    is_whole = _is(this, _Kind.WHOLE_TEXT)
    is_whole |= _is(this, _Kind.CLOSES) & _is(before, _Kind.BEFORE_CLOSING)
    is_whole |= _is(this, _Kind.OPENS) & _is(before, _Kind.BEFORE_OPENING)
    filled = np.flatnonzero(offsets[1:] > offsets[:-1])
    opened = filled[_is(kinds[np.searchsorted(cuts, offsets[filled])], _Kind.EMPTY | _Kind.OPENS)]
    rows = np.searchsorted(offsets, cuts[special[is_whole]], side="right") - 1
    rows = np.unique(np.concatenate([rows, opened]))
    return np.searchsorted(cuts, np.stack([offsets[rows], ends[rows]], axis=1)).tolist()


def _join_next(is_kept: np.ndarray, kinds: np.ndarray) -> None:
    """Drop the cuts after pieces that join the next one, and after the empty pieces that follow them."""
    joined = np.flatnonzero(_is(kinds, _Kind.JOINS_NEXT))
    while len(joined):
        is_kept[joined + 1] = False
        joined = joined[_is(kinds[joined + 1], _Kind.EMPTY)] + 1


def _encode_chunks(
    text: np.ndarray, pieces: pa.DictionaryArray, kinds: np.ndarray, kept: np.ndarray, positions: np.ndarray
) -> pa.DictionaryArray:
    """The chunks between the cuts that are kept: single pieces keep their codes, joined ones get new ones.

    Args:
        text: uint8, the bytes of all texts.
        pieces: the pieces between all cuts.
        kinds: the kind of each distinct piece; uint8.
        kept: the indices of the cuts that are kept.
        positions: where these are in the text; int32.
    """
    codes = pieces.indices.to_numpy()[kept[:-1]]
    joined = np.flatnonzero(np.diff(kept) > 1)
    new = take_slices(text, positions[joined], positions[joined + 1]).dictionary_encode()
    codes[joined] = len(pieces.dictionary) + new.indices.to_numpy()
    kinds = np.concatenate([kinds, np.zeros(len(new.dictionary), np.uint8)])
    distinct = pa.concat_arrays([pieces.dictionary, new.dictionary])
    return pa.DictionaryArray.from_arrays(codes, _with_ends(distinct, kinds))


def _with_ends(distinct: pa.StringArray, kinds: np.ndarray) -> pa.StringArray:
    """Each chunk with INNER or _LAST at its end; a plain last one is as good as an inner one.

    A piece that keeps its text whole is either all of it or no chunk at all.
    """
    is_inner = pc.and_(pc.ends_with(distinct, INNER), pa.array(~_is(kinds, _Kind.WHOLE_TEXT)))
    end = pc.if_else(is_inner, "", pc.if_else(pa.array(_is(kinds, _Kind.PLAIN_LAST)), INNER, _LAST))
    return pc.binary_join_element_wise(distinct, end, "")
