"""What happens to a text before it is tokenized: lower case, digits to 0, addresses to `<url>`.

`clean` is the definition, on Python's strings. `clean_all` gives the same for many texts. Most are plain ASCII, for
which a byte table over all of them at once is enough. The rest are lowered as Python's strings, because no other
library agrees with Python on the lower case and the digits of all of Unicode.
"""

import re

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.ragged import bytes_of

__all__ = ["ADDRESS", "BREAK", "DIGIT", "clean", "clean_all", "holds_address"]

DIGIT = re.compile(r"\d")
BREAK = re.compile(r"<br */?>")
# The tutorial's ([^ ]+(?<=\.[a-z]{3})) takes quadratic time on a long run without spaces. This one takes linear time: a
# match begins where a run begins, because the rightmost .abc of the run ends it wherever it begins.
ADDRESS = re.compile(rb"(?<![^ ])[^ ]*\.[a-z]{3}")
# The same for Polars, which is five times as fast and knows no lookbehind; and what a text must hold to be searched.
_ADDRESS_OF_POLARS, _MARKS = r"(^| )[^ ]*\.[a-z]{3}", r"www\.|\.com|https?:"

_ASCII_TABLE = bytes(range(256)).lower().translate(bytes.maketrans(b"0123456789", b"0" * 10))


def clean(text: str, config: CleaningConfig) -> str:
    """Clean one text.

    >>> clean("Not 10/10!<br />See www.example.com", CleaningConfig(html_breaks=True))
    'not 00/00! see <url>'
    """
    return _hide_addresses(_lower_case(text, config).encode()).decode()


def clean_all(texts: pa.BinaryArray, config: CleaningConfig) -> pa.StringArray:
    """Clean many texts, each as `clean` does.

    Args:
        texts: UTF-8 without nulls and without line feeds, less than 2 GiB together.
        config: as for `clean`.
    """
    text, offsets = bytes_of(texts)
    lowered = text.tobytes().translate(_ASCII_TABLE)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(lowered)]
    cleaned = pa.BinaryArray.from_buffers(pa.binary(), len(texts), buffers)
    is_odd = _rows_at(offsets, np.flatnonzero(text > 127))
    if config.html_breaks:
        cleaned = pc.replace_substring(cleaned, "<br />", " ")
        is_odd |= _rows_with(cleaned, "<br")
    odd = b"\n".join(texts.filter(pa.array(is_odd)).to_pylist()).decode()
    lines = _lower_case(odd, config).encode().split(b"\n")[: is_odd.sum()]
    cleaned = _replace_rows(cleaned, is_odd, pa.array(lines, pa.binary()))

    has_mark = _rows_with(cleaned, _MARKS)
    hidden = _strings(cleaned.filter(pa.array(has_mark))).str.replace_all(_ADDRESS_OF_POLARS, "${1}<url>")
    return _replace_rows(cleaned, has_mark, hidden.to_arrow().cast(pa.binary())).cast(pa.string())


def _lower_case(text: str, config: CleaningConfig) -> str:
    """All of cleaning but the addresses; the same for a text alone and among others, separated by line feeds."""
    text = DIGIT.sub("0", text.lower())
    return BREAK.sub(" ", text) if config.html_breaks else text


def _hide_addresses(text: bytes) -> bytes:
    return ADDRESS.sub(b"<url>", text) if holds_address(text) else text


def holds_address(text: bytes) -> bool:
    """Whether a text in lower case is searched for addresses."""
    return b"www." in text or b".com" in text or b"http:" in text or b"https:" in text


def _strings(texts: pa.BinaryArray) -> pl.Series:
    return pl.Series(texts.cast(pa.string()))


def _rows_with(texts: pa.BinaryArray, pattern: str) -> np.ndarray:
    """Which texts hold a match of the regular expression; bool, [texts]."""
    is_there: np.ndarray = _strings(texts).str.contains(pattern).to_numpy()
    return is_there


def _rows_at(offsets: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Which rows hold one of these positions; bool, [rows]."""
    is_there = np.zeros(len(offsets) - 1, bool)
    is_there[np.searchsorted(offsets, positions, side="right") - 1] = True
    return is_there


def _replace_rows(texts: pa.BinaryArray, rows: np.ndarray, new: pa.BinaryArray) -> pa.BinaryArray:
    """Put `new` where the mask `rows` is true."""
    return pc.replace_with_mask(texts, pa.array(rows), new)
