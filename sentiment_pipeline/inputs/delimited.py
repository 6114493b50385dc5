"""CSV and TSV: a row a record, whose quoted fields may hold line feeds.

A record that is not valid loses its first line alone, and reading resumes on the next line. So a quote that is never
closed costs one line and not the rest of the file.
"""

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pipeline.inputs.parsed import BLANK, LONGEST_LINE, NOT_UTF8, TOO_LONG, Rejected
from sentiment_pipeline.inputs.rows import Rows

__all__ = ["Delimited", "detect_delimited"]

_SUFFIXES = {",": ".csv", "\t": ".tsv"}  # of files with this delimiter
_PUBLISHED = {2: ("label", "text"), 3: ("label", "title", "text")}  # columns of the data set's first publication
_BAD_QUOTES = "its quotes are not those of a CSV record"
_TEXT_NAMES = frozenset({"text", "content"})


@dataclass(frozen=True)
class Delimited:
    """A CSV or TSV file.

    Attributes:
        delimiter: what separates fields.
        columns: the name of each field.
        has_header: whether the first record holds these names.
        escaped_feeds: whether the two characters `\\n` stand for a line feed, as in the data set's first publication.
    """

    delimiter: str
    columns: tuple[str, ...]
    has_header: bool
    escaped_feeds: bool
    splits: ClassVar[bool] = False

    def rows(self, buffers: Iterable[tuple[int, bytes]], wanted: Sequence[str]) -> Iterator[tuple[int, Rows]]:
        """Yield the rows of a whole file, with the index of the buffer in which they begin."""
        lines = _Lines(buffers)
        at_header = self.has_header
        while (index := lines.next_buffer()) is not None:
            records = list(_records(lines, self.delimiter))
            if at_header and records:
                records, at_header = records[1:], False
            yield index, self._rows(records, wanted)

    def _rows(self, records: "list[_Record]", wanted: Sequence[str]) -> Rows:
        good, unreadable = list[int](), list[Rejected]()
        for number, record in enumerate(records, start=1):
            reason = record.fault or self._fault(record.fields)
            if reason:
                unreadable.append(Rejected(number, reason, record.raw[:LONGEST_LINE]))
            else:
                good.append(number)
        positions = [self.columns.index(name) for name in wanted]
        columns = {
            name: pa.array([records[number - 1].fields[position] for number in good], pa.string())
            for name, position in zip(wanted, positions, strict=True)
        }
        if self.escaped_feeds:
            columns = {name: pc.replace_substring(each, "\\n", "\n") for name, each in columns.items()}
        return Rows(len(records), columns, np.array(good, np.int64), lambda row: records[good[row] - 1].raw, unreadable)

    def _fault(self, fields: list[str]) -> str | None:
        if not fields:
            return BLANK
        if len(fields) != len(self.columns):
            return f"{len(fields)} fields instead of {len(self.columns)}"
        return None if _is_utf8("".join(fields)) else NOT_UTF8


def detect_delimited(head: bytes, suffix: str, text: str) -> Delimited | None:
    """The dialect of a CSV or TSV file that begins with `head`; None if it is none.

    It is one as the data set was first published: without a header, a label from 0 to 9, perhaps a title, and the text.
    Or it has a header, for which two of three things must speak: several fields, the column of the text among them, the
    suffix of the file.

    Args:
        head: the beginning of the file.
        suffix: of its name, without that of the compression.
        text: the column of the text as the user names it, besides `text` and `content`; may be empty.

    >>> detect_delimited(b'"2","Great","I loved it"\\n', "", "").columns
    ('label', 'title', 'text')
    >>> detect_delimited(b"A plain review, text and all\\n", "", "") is None
    True
    """
    first, _, rest = head.decode(errors="replace").removeprefix("\ufeff").partition("\n")
    wanted = _TEXT_NAMES | ({text.lower()} if text else set())
    for delimiter, file_suffix in _SUFFIXES.items():
        try:
            fields = next(csv.reader(io.StringIO(f"{first}\n{rest}", newline=""), delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        quoted = delimiter == "\t" or first.startswith('"')
        if len(fields) in _PUBLISHED and quoted and len(fields[0]) == 1 and fields[0].isdigit():
            return Delimited(delimiter, _PUBLISHED[len(fields)], False, True)
        names = {field.strip().lower() for field in fields}
        signs = (len(fields) > 1, bool(wanted & names), suffix == file_suffix)
        if sum(signs) >= 2 and len(names) == len(fields):
            return Delimited(delimiter, tuple(field.strip() for field in fields), True, False)
    return None


class _Record(NamedTuple):
    """The fields of a record, its lines, and what is wrong with it."""

    fields: list[str]
    lines: list[str]
    fault: str | None = None

    @property
    def raw(self) -> bytes:
        """Its bytes; made only when they are asked for, since few records are rejected."""
        return "".join(self.lines).encode(errors="surrogateescape").rstrip(b"\r\n")


class _Lines:
    """The lines of a file with those of the present record, which can be read again.

    Attributes:
        record: the lines of the present record.
        crossed: the index of the buffer that the present record has run into; None if it has not.
    """

    def __init__(self, buffers: Iterable[tuple[int, bytes]]) -> None:
        self._buffers = iter(buffers)
        self._waiting = deque[str]()
        self._size = 0
        self.record = list[str]()
        self.crossed: int | None = None

    def next_buffer(self) -> int | None:
        """Go to the next buffer; its index, or None at the end."""
        if self.crossed is not None:
            index, self.crossed = self.crossed, None
            return index
        for index, data in self._buffers:
            self._waiting.extend(io.StringIO(data.decode(errors="surrogateescape"), newline="\n"))
            return index
        return None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """The next line of the record, from the next buffer if need be.

        Raises:
            StopIteration: at the end of the file, and at that of the buffer between two records.
            OverflowError: the record is too long.
        """
        if not self._waiting and self.record:
            self.crossed, crossed = None, self.crossed
            index = self.next_buffer()
            self.crossed = crossed if index is None else index
        if not self._waiting:
            raise StopIteration
        line = self._waiting.popleft()
        self.record.append(line)
        self._size += len(line)
        if self._size > LONGEST_LINE and len(self.record) > 1:
            raise OverflowError
        return line

    def take(self) -> list[str]:
        """End the record. Returns its lines."""
        taken, self.record, self._size = self.record, [], 0
        return taken

    def take_first(self) -> list[str]:
        """End the record after its first line, which is returned; the others are read again."""
        first, *again = self.take()
        self._waiting.extendleft(reversed(again))
        return [first]


def _records(lines: _Lines, delimiter: str) -> Iterator[_Record]:
    """The records that begin in the present buffer."""
    csv.field_size_limit(2 * LONGEST_LINE)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while lines.crossed is None:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except (OverflowError, csv.Error):
            is_long = len(lines.record[0]) > LONGEST_LINE
            yield _Record([], lines.take_first(), TOO_LONG if is_long else _BAD_QUOTES)
        else:
            yield _Record(fields, lines.take())


def _is_utf8(field: str) -> bool:
    """Whether it was valid UTF-8; bytes that are not are decoded as half surrogate pairs."""
    if field.isascii():
        return True
    try:
        field.encode()
    except UnicodeEncodeError:
        return False
    return True
