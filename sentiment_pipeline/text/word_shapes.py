"""The tokens of each distinct chunk, by tokenizing far fewer shapes.

No rule of NLTK tells `wonderful,` from `terrible,`: a run of letters that no rule names can stand for any other. So
each is collapsed to the same two letters, NLTK tokenizes the distinct shapes that are left, and where it cuts a shape
is carried back to the chunks. Its tokens are slices of its text, except that it writes opening and closing double
quotes as `` and ''. All but NLTK itself is done on whole arrays of bytes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pipeline.text.chunks import INNER, NEUTRAL
from sentiment_pipeline.text.ragged import bytes_of, ranges, string_array, take_slices
from sentiment_pipeline.text.tokenizer import known_words, word_tokenizer

__all__ = ["tokenize_chunks"]

_STAND_IN = np.frombuffer(b"qx", np.uint8)  # a run of letters that no rule of NLTK names
_CLITICS = ("re", "ve", "ll", "tis", "twas")
_BATCH = 5_000
_QUOTES = np.frombuffer(b"``''", np.uint8)
_QUOTE_KINDS = {"``": 0, "''": 2}  # where NLTK's double quotes stand in _QUOTES
_LITERAL = -1  # the kind of any other token


@dataclass(frozen=True)
class _Tokens:
    """The tokens of a sequence of chunks.

    Attributes:
        codes: dictionary array, the tokens of all chunks one after the other.
        counts: int32, shape (chunks,): how many tokens each chunk has.
    """

    codes: pa.DictionaryArray
    counts: np.ndarray


@dataclass(frozen=True)
class _Cuts:
    """Where NLTK cuts each of a sequence of shapes; bytes from the shape's beginning.

    Attributes:
        starts, ends: int64, one a token, those of all shapes one after the other.
        kinds: int64, one a token: _LITERAL or one of _QUOTE_KINDS.
        counts: int64, shape (shapes,): how many tokens each has.
    """

    starts: np.ndarray
    ends: np.ndarray
    kinds: np.ndarray
    counts: np.ndarray


def tokenize_chunks(chunks: pa.StringArray) -> _Tokens:
    """The tokens of each chunk, as NLTK gives them where it stands.

    Args:
        chunks: each ends with `chunks.INNER` or `chunks.LAST`; together less than 2 GiB.
    """
    text, offsets = bytes_of(chunks)
    shape_text, kept = _collapse(text)
    shape_offsets = np.searchsorted(kept, offsets).astype(np.int32)
    shapes = string_array(shape_offsets, shape_text).dictionary_encode()
    cuts = _cut_shapes(shapes.dictionary.to_pylist())

    shape = shapes.indices.to_numpy()
    counts = cuts.counts[shape]
    token = ranges((np.cumsum(cuts.counts) - cuts.counts)[shape], counts)
    base = np.repeat(shape_offsets[:-1], counts)
    starts, ends, kinds = kept[base + cuts.starts[token]], kept[base + cuts.ends[token]], cuts.kinds[token]
    quote = kinds != _LITERAL
    starts[quote] = len(text) + kinds[quote]
    ends[quote] = starts[quote] + 2
    tokens = take_slices(np.concatenate([text, _QUOTES]), starts, ends)
    return _Tokens(tokens.dictionary_encode(), counts.astype(np.int32))


def _collapse(text: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put the stand-in for every run of two or more letters that no rule of NLTK can tell from it.

    What stays beside the words that rules name is re, ve, ll, tis or twas after an apostrophe, and what ends in n
    before 't.

    Returns:
        The collapsed bytes (uint8), and the place in `text` of each, with the end of `text` as a last one (int64).
    """
    edges = np.diff(((text >= ord("a")) & (text <= ord("z"))).view(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    padded = np.concatenate([text, np.frombuffer(b"  ", np.uint8)])
    words = take_slices(text, starts, ends)
    stays = _is_one_of(words, known_words()) | (_is_one_of(words, _CLITICS) & (padded[starts - 1] == ord("'")))
    stays |= (padded[ends - 1] == ord("n")) & (padded[ends] == ord("'")) & (padded[ends + 1] == ord("t"))
    starts, ends = (places[(ends - starts >= 2) & ~stays] for places in (starts, ends))
    padded[starts], padded[starts + 1] = _STAND_IN
    longer = ends - starts > 2
    edges = np.zeros(len(text) + 1, np.int8)
    edges[starts[longer] + 2] = 1
    edges[ends[longer]] = -1
    kept = np.flatnonzero(np.cumsum(edges, dtype=np.int8) == 0)
    return padded[kept[:-1]], kept


def _is_one_of(words: pa.StringArray, some: Iterable[str]) -> np.ndarray:
    return pc.is_in(words, pa.array(sorted(some), pa.string())).to_numpy(zero_copy_only=False)


def _cut_shapes(shapes: Sequence[str]) -> _Cuts:
    """Where NLTK cuts each shape: the inner ones in long texts of many, one that ends a text by itself."""
    inner = [number for number, shape in enumerate(shapes) if shape.endswith(INNER)]
    tokens = {number: word_tokenizer()(shape[:-1]) for number, shape in enumerate(shapes) if not shape.endswith(INNER)}
    for first in range(0, len(inner), _BATCH):
        numbers = inner[first : first + _BATCH]
        tokens.update(zip(numbers, _tokenize_side_by_side([shapes[number][:-1] for number in numbers]), strict=True))
    places = [_align(tokens[number], shape) for number, shape in enumerate(shapes)]
    flat = np.array([place for shape in places for place in shape], np.int64).reshape(-1, 3)
    starts, ends, kinds = flat.T
    return _Cuts(starts, ends, kinds, np.array([len(shape) for shape in places], np.int64))


def _tokenize_side_by_side(shapes: Sequence[str]) -> list[list[str]]:
    """The tokens of each shape, from one text in which they stand apart by a neutral word."""
    groups = list[list[str]]()
    for token in word_tokenizer()(f"{NEUTRAL} " + "".join(f"{shape} {NEUTRAL} " for shape in shapes)):
        if token == NEUTRAL:
            groups.append([])
        else:
            groups[-1].append(token)
    return groups[:-1]


def _align(tokens: Sequence[str], shape: str) -> list[tuple[int, int, int]]:
    """Start, end (bytes of `shape`) and kind of each of its tokens, which are all of it but the white space."""
    places, place = [], 0
    for token in tokens:
        while shape[place].isspace():
            place += 1
        kind, length = _LITERAL, len(token)
        if not shape.startswith(token, place):
            kind, length = _QUOTE_KINDS[token], 1 if shape[place] == '"' else 2
        places.append((place, place + length, kind))
        place += length
    if shape.isascii():
        return places
    bytes_before = [0, *accumulate(len(letter.encode()) for letter in shape)]
    return [(bytes_before[start], bytes_before[end], kind) for start, end, kind in places]
