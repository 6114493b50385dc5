"""fastText lines to labels and texts.

A line is `__label__1 text` or `__label__2 text` in UTF-8. Any other line is neither trained on nor lost: it is rejected
with its number, the reason and its bytes. Most lines are recognized as good in one pass over the whole buffer; only the
others are examined one by one. A blank line is set apart too, with the reason `BLANK`, but does not count as rejected.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pipeline.inputs.parsed import (
    BLANK,
    LONGEST_LINE,
    NOT_UTF8,
    NUL_BYTE,
    OTHER_LABEL,
    TOO_LONG,
    Parsed,
    Rejected,
)
from sentiment_pipeline.inputs.rows import Rows

__all__ = ["LABEL", "LABELS", "NO_LABEL", "TEXT_START", "Lines", "line_batches", "parse"]

_MOST_LINES = 1 << 19  # parsed at once
LABEL = b"__label__"
LABELS = (LABEL + b"1 ", LABEL + b"2 ")  # what the line of a review begins with
_LABEL_DIGIT, TEXT_START = len(LABEL), len(LABELS[0])  # the positions in a line of the digit and of the text

NO_LABEL = "does not start with a label, __label__1 or __label__2"
_NO_SPACE = "no space after the label"
_TWO_LABELS = "more than one label"
_NO_TEXT = "no text after the label"

_SHOWN_LABEL = 30  # bytes of another label
_LABELLED = re.compile(rb"__label__(\S+) (.*)", re.DOTALL)
_SECOND_LABEL = re.compile(rb"(?:^|\s)__label__\S")  # fastText takes every such word of a line for a label


@dataclass(frozen=True)
class Lines:
    """A file of fastText lines, or of plain ones."""

    columns: ClassVar[tuple[str, ...]] = ("label", "text")
    splits: ClassVar[bool] = True

    def rows(self, buffers: Iterable[tuple[int, bytes]], wanted: Sequence[str]) -> Iterator[tuple[int, Rows]]:
        """Yield the rows of whole lines, each with its index."""
        for index, data in buffers:
            for batch in line_batches(data):
                yield index, _rows(batch)


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
    size = len(data)
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
    return Parsed(len(ends), labels, pc.binary_slice(lines.filter(pa.array(is_good)), TEXT_START, -1), rejected, size)


def _rows(data: bytes) -> Rows:
    """Whole lines with any labels as rows with the columns `label` and `text`, for other labels than 1 and 2.

    >>> _rows(b"__label__5 Loved it\\n").columns["label"].to_pylist()
    ['5']
    """
    lines = [line.removesuffix(b"\r") for line in data.removesuffix(b"\n").split(b"\n")] if data else []
    unreadable, numbers, labels, texts = list[Rejected](), list[int](), list[str](), list[bytes]()
    for number, line in enumerate(lines, start=1):
        match = _LABELLED.match(line)
        reason = _reason_to_reject(b"__label__1 " + match[2] if match else line)
        if reason or not match:
            unreadable.append(Rejected(number, reason or NO_LABEL, line[:LONGEST_LINE]))
        else:
            numbers.append(number)
            labels.append(match[1].decode(errors="replace"))
            texts.append(match[2])
    columns = {"label": pa.array(labels, pa.string()), "text": pa.array(texts, pa.binary()).cast(pa.string())}
    return Rows(len(lines), columns, np.array(numbers, np.int64), lambda row: lines[numbers[row] - 1], unreadable)


def _doubtful_lines(data: bytes, codes: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The indices of the lines that are not obviously good: ASCII, one label, then a letter; int64."""
    heads = codes[np.minimum(starts[:, None] + np.arange(TEXT_START + 1, dtype=np.int32), len(codes) - 1)]
    is_labelled = (heads[:, :_LABEL_DIGIT] == np.frombuffer(LABEL, np.uint8)).all(axis=1)
    is_plain = is_labelled.copy()
    is_plain &= (heads[:, _LABEL_DIGIT] == ord("1")) | (heads[:, _LABEL_DIGIT] == ord("2"))
    is_plain &= (heads[:, TEXT_START - 1] == ord(" ")) & (heads[:, TEXT_START] > ord(" "))
    is_plain &= (ends - starts > TEXT_START) & (ends - starts <= LONGEST_LINE)
    is_plain[np.searchsorted(ends, np.flatnonzero(codes.view(np.int8) < 1))] = False  # not ASCII, or NUL
    if data.count(LABEL) > is_labelled.sum():  # a second label somewhere
        labels = np.fromiter((each.start() for each in re.finditer(LABEL, data)), np.int64)
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
        return TOO_LONG
    if not line.startswith(LABELS):
        return _fault_of_label(line)
    if not line.isascii() and not _is_utf8(line):
        return NOT_UTF8
    if b"\0" in line:
        return NUL_BYTE
    text = line[TEXT_START:]
    if not text or text.isspace():
        return _NO_TEXT
    return _TWO_LABELS if _SECOND_LABEL.search(text) else None


def _fault_of_label(line: bytes) -> str:
    """What is wrong with the label of a line that begins with none of `LABELS`."""
    if not line.startswith(LABEL):
        return NO_LABEL
    label = line.split(maxsplit=1)[0]
    if label + b" " in LABELS:
        return _NO_TEXT if line == label else _NO_SPACE
    shown = label[:_SHOWN_LABEL].decode("ascii", "replace")
    return OTHER_LABEL.format(label=shown, expected="__label__1 or __label__2")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
