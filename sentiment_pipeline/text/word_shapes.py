"""The tokens of distinct chunks, by tokenizing far fewer shapes.

No rule of NLTK distinguishes `wonderful,` from `terrible,`: a run of letters that no rule names can stand for any
other. So each such run is replaced by the same two letters, NLTK tokenizes the distinct shapes that are left, and its
cuts are carried back to the chunks. A token is a slice of its chunk, except that NLTK writes opening and closing double
quotes as `` and ''. All but NLTK itself works on whole arrays of bytes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pipeline.text.chunks import INNER, NEUTRAL
from sentiment_pipeline.text.ragged import bytes_of, concat_ranges, string_array, take_slices
from sentiment_pipeline.text.tokenizer import known_words, word_tokenizer

__all__ = ["Tokens", "tokenize_chunks"]

_STAND_IN = np.frombuffer(b"qx", np.uint8)  # for a run of letters that no rule of NLTK names
_CLITICS = ("re", "ve", "ll", "tis", "twas")
_BATCH = 5_000  # shapes that NLTK tokenizes in one text
_QUOTES = np.frombuffer(b"``''", np.uint8)
_QUOTE_KINDS = {"``": 0, "''": 2}  # the positions of NLTK's double quotes in _QUOTES
_LITERAL = -1  # the kind of any other token


@dataclass(frozen=True)
class Tokens:
    """The tokens of a sequence of chunks.

    Attributes:
        codes: dictionary array, int32 codes of strings: the tokens of all chunks, one chunk after another.
        counts: number of tokens of each chunk; int32, [chunks].
    """

    codes: pa.DictionaryArray
    counts: np.ndarray


@dataclass(frozen=True)
class _Cuts:
    """Where NLTK cuts each of a sequence of shapes; positions are bytes from the beginning of the shape.

    Attributes:
        starts, ends: of each token, the tokens of one shape after another; int64, [tokens].
        kinds: _LITERAL or one of _QUOTE_KINDS; int64, [tokens].
        counts: number of tokens of each shape; int64, [shapes].
    """

    starts: np.ndarray
    ends: np.ndarray
    kinds: np.ndarray
    counts: np.ndarray


def tokenize_chunks(chunks: pa.StringArray) -> Tokens:
    """Tokenize each chunk as NLTK does inside its text.

    Args:
        chunks: as `split_chunks` makes them, each with its end; less than 2 GiB together.

    NLTK tokenizes two shapes for these three chunks, `qx, ` and `isn't `:

    >>> tokens = tokenize_chunks(pa.array(["wonderful, ", "terrible, ", "isn't "]))
    >>> tokens.codes.to_pylist()
    ['wonderful', ',', 'terrible', ',', 'is', "n't"]
    >>> tokens.counts.tolist()
    [2, 2, 2]
    """
    text, offsets = bytes_of(chunks)
    shape_text, kept = _collapse(text)
    shape_offsets = np.searchsorted(kept, offsets).astype(np.int32)
    shapes = string_array(shape_offsets, shape_text).dictionary_encode()
    cuts = _cut_shapes(shapes.dictionary.to_pylist())

    shape = shapes.indices.to_numpy()
    counts = cuts.counts[shape]
    token = concat_ranges((np.cumsum(cuts.counts) - cuts.counts)[shape], counts)
    base = np.repeat(shape_offsets[:-1], counts)
    starts, ends, kinds = kept[base + cuts.starts[token]], kept[base + cuts.ends[token]], cuts.kinds[token]
    quote = kinds != _LITERAL
    starts[quote] = len(text) + kinds[quote]
    ends[quote] = starts[quote] + 2
    tokens = take_slices(np.concatenate([text, _QUOTES]), starts, ends)
    return Tokens(tokens.dictionary_encode(), counts.astype(np.int32))


def _collapse(text: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Replace every run of two or more letters that no rule of NLTK names by the stand-in.

    Besides the words that rules name, two kinds of runs stay: re, ve, ll, tis or twas after an apostrophe, and what
    ends in n before 't.

    Returns:
        The collapsed bytes (uint8), and the position of each in `text`, with the end of `text` as the last one (int64).

    >>> shape, kept = _collapse(np.frombuffer(b"terrible, isn't", np.uint8))
    >>> shape.tobytes(), kept.tolist()
    (b"qx, isn't", [0, 1, 8, 9, 10, 11, 12, 13, 14, 15])
    """
    edges = np.diff(((text >= ord("a")) & (text <= ord("z"))).view(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    padded = np.concatenate([text, np.frombuffer(b"  ", np.uint8)])
    words = take_slices(text, starts, ends)
    stays = _is_one_of(words, known_words()) | (_is_one_of(words, _CLITICS) & (padded[starts - 1] == ord("'")))
    stays |= (padded[ends - 1] == ord("n")) & (padded[ends] == ord("'")) & (padded[ends + 1] == ord("t"))
    collapses = (ends - starts >= 2) & ~stays
    starts, ends = starts[collapses], ends[collapses]
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
    """Where NLTK cuts each shape; inner ones are tokenized in long texts of many, one that ends a text on its own."""
    inner = [number for number, shape in enumerate(shapes) if shape.endswith(INNER)]
    tokens = {number: word_tokenizer()(shape[:-1]) for number, shape in enumerate(shapes) if not shape.endswith(INNER)}
    for first in range(0, len(inner), _BATCH):
        numbers = inner[first : first + _BATCH]
        tokens.update(zip(numbers, _tokenize_side_by_side([shapes[number][:-1] for number in numbers]), strict=True))
    aligned = [_align(tokens[number], shape) for number, shape in enumerate(shapes)]
    flat = np.array([token for shape in aligned for token in shape], np.int64).reshape(-1, 3)
    starts, ends, kinds = flat.T
    return _Cuts(starts, ends, kinds, np.array([len(shape) for shape in aligned], np.int64))


def _tokenize_side_by_side(shapes: Sequence[str]) -> list[list[str]]:
    """The tokens of each shape, from one text in which neutral words separate them."""
    groups = list[list[str]]()
    for token in word_tokenizer()(f"{NEUTRAL} " + "".join(f"{shape} {NEUTRAL} " for shape in shapes)):
        if token == NEUTRAL:
            groups.append([])
        else:
            groups[-1].append(token)
    return groups[:-1]


def _align(tokens: Sequence[str], shape: str) -> list[tuple[int, int, int]]:
    """Start, end and kind of each token of a shape, which are all of it but the white space.

    Returns:
        Positions are bytes of `shape`; the kind is `_LITERAL` or one of `_QUOTE_KINDS`.

    >>> _align(["``", "qx", ","], '"qx, ')
    [(0, 1, 0), (1, 3, -1), (3, 4, -1)]
    """
    aligned, position = [], 0
    for token in tokens:
        while shape[position].isspace():
            position += 1
        kind, length = _LITERAL, len(token)
        if not shape.startswith(token, position):
            kind, length = _QUOTE_KINDS[token], 1 if shape[position] == '"' else 2
        aligned.append((position, position + length, kind))
        position += length
    if shape.isascii():
        return aligned
    bytes_before = [0, *accumulate(len(letter.encode()) for letter in shape)]
    return [(bytes_before[start], bytes_before[end], kind) for start, end, kind in aligned]
