"""fastText lines to labels and texts.

A line is `__label__1 text` or `__label__2 text` in UTF-8. Any other line is neither trained on nor lost: it is rejected
with its number, the reason and its bytes. Most lines are recognized as good in one pass over the whole buffer; only the
others are examined one by one. A blank line is set apart too, with the reason `BLANK`, but does not count as rejected.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "BLANK",
    "LABELS",
    "LONGEST_LINE",
    "NO_LABEL",
    "OTHER_LABEL",
    "TEXT_START",
    "Parsed",
    "Rejected",
    "line_batches",
    "parse",
]

LONGEST_LINE = 1 << 20  # bytes
_MOST_LINES = 1 << 19  # parsed at once
_LABEL = b"__label__"
LABELS = (_LABEL + b"1 ", _LABEL + b"2 ")  # what the line of a review begins with
_LABEL_DIGIT, TEXT_START = len(_LABEL), len(LABELS[0])  # the positions in a line of the digit and of the text

_TOO_LONG = f"longer than {LONGEST_LINE:,} bytes"
BLANK = "blank"
NO_LABEL = "does not start with a label, __label__1 or __label__2"
_NO_SPACE = "no space after the label"
_TWO_LABELS = "more than one label"
OTHER_LABEL = "the label {label} instead of __label__1 or __label__2"
_NO_TEXT = "no text after the label"
_NUL_BYTE = "holds a NUL byte"
_NOT_UTF8 = "not UTF-8"

_SHOWN_LABEL = 30  # bytes of another label
_SECOND_LABEL = re.compile(rb"(?:^|\s)__label__\S")  # fastText takes every such word of a line for a label


@dataclass(frozen=True)
class Rejected:
    """A line that is not a review.

    Attributes:
        line: its number among the lines parsed with it, from 1.
        reason: why it is not a review.
        raw: its bytes without the line end; of a line that is too long, the first `LONGEST_LINE` of them.
    """

    line: int
    reason: str
    raw: bytes


@dataclass(frozen=True)
class Parsed:
    """The content of a buffer of lines.

    Attributes:
        lines: number of lines, including rejected ones.
        labels: of the accepted lines, 0 negative, 1 positive; int8, [accepted lines].
        texts: of the accepted lines, UTF-8, what follows the label and one space, without the line end.
        rejected: the other lines, in order.
    """

    lines: int
    labels: np.ndarray
    texts: pa.BinaryArray
    rejected: list[Rejected]


def line_batches(data: bytes) -> Iterator[bytes]:
    """Divide whole lines into batches that are parsed in little memory; it is hardly ever more than one."""
    while data.count(b"\n") > _MOST_LINES:
        cut = data.rfind(b"\n", 0, _MOST_LINES) + 1 or data.find(b"\n") + 1
        yield data[:cut]
        data = data[cut:]
    yield data


def parse(data: bytes) -> Parsed:
    """Parse whole lines.

    Args:
        data: lines that end with LF or CRLF; the last one may lack its end. A line longer than `LONGEST_LINE` may be
            truncated, as long as it is still longer than that.

    >>> parsed = parse(b"__label__2 Loved it\\n__label__3 so so\\n")
    >>> parsed.labels.tolist(), parsed.texts.to_pylist(), [each.line for each in parsed.rejected]
    ([1], [b'Loved it'], [2])
    """
    if data and not data.endswith(b"\n"):
        data += b"\n"
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    codes = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(codes == ord("\n"))
    bounds = np.concatenate([[0], ends + 1]).astype(np.int32)
    starts = bounds[:-1]

    rejected, is_good = list[Rejected](), np.ones(len(ends), bool)
    for row in _doubtful_lines(data, codes, starts, ends).tolist():
        line = data[starts[row] : ends[row]]
        if reason := _reason_to_reject(line):
            rejected.append(Rejected(row + 1, reason, line[:LONGEST_LINE]))
            is_good[row] = False
    lines = pa.BinaryArray.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(bounds), pa.py_buffer(data)])
    labels = (codes[starts[is_good] + _LABEL_DIGIT] == ord("2")).astype(np.int8)
    return Parsed(len(ends), labels, pc.binary_slice(lines.filter(pa.array(is_good)), TEXT_START, -1), rejected)


def _doubtful_lines(data: bytes, codes: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The indices of the lines that are not obviously good: ASCII, one label, then a letter; int64."""
    heads = codes[np.minimum(starts[:, None] + np.arange(TEXT_START + 1, dtype=np.int32), len(codes) - 1)]
    is_labelled = (heads[:, :_LABEL_DIGIT] == np.frombuffer(_LABEL, np.uint8)).all(axis=1)
    is_plain = is_labelled.copy()
    is_plain &= (heads[:, _LABEL_DIGIT] == ord("1")) | (heads[:, _LABEL_DIGIT] == ord("2"))
    is_plain &= (heads[:, TEXT_START - 1] == ord(" ")) & (heads[:, TEXT_START] > ord(" "))
    is_plain &= (ends - starts > TEXT_START) & (ends - starts <= LONGEST_LINE)
    is_plain[np.searchsorted(ends, np.flatnonzero(codes.view(np.int8) < 1))] = False  # not ASCII, or NUL
    if data.count(_LABEL) > is_labelled.sum():  # a second label somewhere
        labels = np.fromiter((each.start() for each in re.finditer(_LABEL, data)), np.int64)
        rows = np.searchsorted(ends, labels)
        is_plain[rows[labels != starts[rows]]] = False
    return np.flatnonzero(~is_plain)


def _reason_to_reject(line: bytes) -> str | None:
    """The gravest fault of a line; None if it is a labelled review.

    >>> _reason_to_reject(b"__label__3 so so")
    'the label __label__3 instead of __label__1 or __label__2'
    """
    if not line or line.isspace():
        return BLANK
    if len(line) > LONGEST_LINE:
        return _TOO_LONG
    if not line.startswith(LABELS):
        return _fault_of_label(line)
    if not line.isascii() and not _is_utf8(line):
        return _NOT_UTF8
    if b"\0" in line:
        return _NUL_BYTE
    text = line[TEXT_START:]
    if not text or text.isspace():
        return _NO_TEXT
    return _TWO_LABELS if _SECOND_LABEL.search(text) else None


def _fault_of_label(line: bytes) -> str:
    """What is wrong with the label of a line that begins with none of `LABELS`."""
    if not line.startswith(_LABEL):
        return NO_LABEL
    label = line.split(maxsplit=1)[0]
    if label + b" " in LABELS:
        return _NO_TEXT if line == label else _NO_SPACE
    return OTHER_LABEL.format(label=label[:_SHOWN_LABEL].decode("ascii", "replace"))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
