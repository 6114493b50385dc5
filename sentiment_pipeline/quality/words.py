"""The words of reviews as hashes, from the chunks that tokenize has made of them."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pipeline.text.ragged import concat_ranges, offsets_of
from sentiment_pipeline.text.tables import to_numpy

__all__ = ["SCRIPTS", "ChunkWords", "words_of_chunks"]

SCRIPTS = ("Latin", "Cyrillic", "Greek", "Han", "Hiragana", "Katakana", "Hangul", "Arabic", "Hebrew", "Devanagari")
_NO_WORD = r"[^\pL\pN\pM]+"


@dataclass(frozen=True)
class ChunkWords:
    """The words of each chunk of a dictionary.

    Attributes:
        hashes: the words of all chunks, one chunk after another; uint32, [words].
        lengths: number of words of each chunk; int32, [chunks].
        starts: where the words of each chunk begin; int32, [chunks].
        scripts: the script of each word, as an index into `SCRIPTS`; `len(SCRIPTS)` for any other; uint8, [words].
    """

    hashes: np.ndarray
    lengths: np.ndarray
    starts: np.ndarray
    scripts: np.ndarray

    def of_codes(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The words of chunks: their positions in `hashes` (int32), and the number of words of each chunk (int32)."""
        lengths = self.lengths[codes]
        return concat_ranges(self.starts[codes], lengths), lengths


def words_of_chunks(chunks: pa.StringArray) -> ChunkWords:
    """The words of each chunk: runs of letters, digits and marks; any number of digits in a row counts as one.

    >>> words = words_of_chunks(pa.array(["good,  ", "it's 00 ", "good!"]))
    >>> words.lengths.tolist(), bool(words.hashes[0] == words.hashes[-1])
    ([1, 3, 1], True)
    """
    plain = pc.replace_substring_regex(pc.replace_substring_regex(chunks, _NO_WORD, " "), "0+", "0")
    lists = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(plain))
    words = lists.flatten()
    is_word = to_numpy(pc.binary_length(words)) > 0  # a chunk without words is one empty string
    chunk = np.repeat(np.arange(len(chunks)), np.diff(to_numpy(lists.offsets)))
    lengths = np.bincount(chunk[is_word], minlength=len(chunks)).astype(np.int32)
    distinct = words.filter(pa.array(is_word)).dictionary_encode()
    codes = to_numpy(distinct.indices)
    hashes = np.fromiter(map(crc32, distinct.dictionary.cast(pa.binary()).to_pylist()), np.uint32)
    starts = offsets_of(lengths)[:-1].astype(np.int32)
    return ChunkWords(hashes[codes], lengths, starts, _scripts(distinct.dictionary)[codes])


def _scripts(words: pa.StringArray) -> np.ndarray:
    """The script of each word, as an index into `SCRIPTS`; uint8, [words]. Digits count as Latin."""
    found = np.zeros(len(words), np.uint8)
    others = np.flatnonzero(~np.asarray(pc.string_is_ascii(words)))  # few, and regular expressions are slow
    few = words.take(pa.array(others))
    scripts = np.full(len(few), len(SCRIPTS), np.uint8)
    for number, script in reversed([*enumerate(SCRIPTS)]):
        scripts[np.asarray(pc.match_substring_regex(few, rf"\p{{{script}}}"))] = number
    found[others] = scripts
    return found
