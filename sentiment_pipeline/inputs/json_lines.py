"""JSON lines: an object a line, each with the columns of a row."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from sentiment_pipeline.inputs.lines import line_batches
from sentiment_pipeline.inputs.parsed import BLANK, LONGEST_LINE, NOT_UTF8, TOO_LONG, Rejected
from sentiment_pipeline.inputs.rows import Rows

__all__ = ["JsonLines", "detect_json_lines"]

_NO_OBJECT = "not a JSON object"


@dataclass(frozen=True)
class JsonLines:
    """A file of JSON lines.

    Attributes:
        columns: the keys of its first objects, in the order of their appearance.
    """

    columns: tuple[str, ...]
    splits: ClassVar[bool] = True

    def rows(self, buffers: Iterable[tuple[int, bytes]], wanted: Sequence[str]) -> Iterator[tuple[int, Rows]]:
        """Yield the rows of whole lines, each with its index."""
        for index, data in buffers:
            for batch in line_batches(data):
                yield index, _rows(batch, wanted)


def detect_json_lines(head: bytes) -> JsonLines | None:
    """The format, if the first line of a file that begins with `head` is a JSON object.

    >>> detect_json_lines(b'{"label": 1, "text": "Loved it"}\\n{"text": "", "id": 7}\\n')
    JsonLines(columns=('label', 'text', 'id'))
    """
    lines = head.lstrip().split(b"\n")
    if _object(lines[0]) is None:
        return None
    return JsonLines(tuple(dict.fromkeys(key for line in lines for key in (_object(line) or {}))))


def _rows(data: bytes, columns: Sequence[str]) -> Rows:
    """Whole lines of JSON objects as rows; a missing key is null.

    Args:
        data: the lines.
        columns: the keys to read.

    >>> rows = _rows(b'{"label": 1, "text": "Loved it"}\\nnonsense\\n', ["label", "text"])
    >>> rows.columns["text"].to_pylist(), [each.line for each in rows.unreadable]
    (['Loved it'], [2])
    """
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    unreadable, numbers, values = list[Rejected](), list[int](), [list[Any]() for _ in columns]
    for number, line in enumerate(lines, start=1):
        found = _object(line) if len(line) <= LONGEST_LINE else None
        if found is None:
            unreadable.append(Rejected(number, _reason(line), line[:LONGEST_LINE].rstrip()))
            continue
        numbers.append(number)
        for column, name in zip(values, columns, strict=True):
            column.append(found.get(name))
    arrays = {name: _array(column) for name, column in zip(columns, values, strict=True)}
    return Rows(
        len(lines), arrays, np.array(numbers, np.int64), lambda row: lines[numbers[row] - 1].rstrip(), unreadable
    )


def _object(line: bytes) -> dict[str, Any] | None:
    """The object in a line; None if it holds anything else, or characters that UTF-8 does not have."""
    try:
        found = json.loads(line.decode())
        if rb"\u" in line:
            json.dumps(found, ensure_ascii=False).encode()  # half of a surrogate pair
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _reason(line: bytes) -> str:
    if not line or line.isspace():
        return BLANK
    if len(line) > LONGEST_LINE:
        return TOO_LONG
    try:
        line.decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    return _NO_OBJECT


def _array(values: list[Any]) -> pa.Array:
    """An array of values of one type; of several types, their JSON."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([value if isinstance(value, str) or value is None else json.dumps(value) for value in values])
