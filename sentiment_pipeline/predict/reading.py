"""The reviews to score: lines of plain text or fastText lines, or the rows of a table, from a file or standard input.

Nothing is rejected here, because who pipes a thousand rows in wants a thousand answers: an empty line and a missing
text are an empty text, bytes that are not UTF-8 become U+FFFD, a row that cannot be read is taken as it is, and of an
enormous line the beginning is read.
"""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from io import BufferedReader, FileIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, NamedTuple

import pyarrow as pa

from sentiment_pipeline.inputs.columnar import Table, is_table, open_table
from sentiment_pipeline.inputs.compression import compression_of, damage_named, open_compressed, seekable
from sentiment_pipeline.inputs.formats import Format, detect_format
from sentiment_pipeline.inputs.lines import LABELS, TEXT_START, Lines
from sentiment_pipeline.inputs.parsed import BLANK, LONGEST_LINE
from sentiment_pipeline.inputs.rows import Columns, Rows, choose_columns, refuse_lines, texts_of
from sentiment_pipeline.inputs.source import BYTE_ORDER_MARK, open_for_reading, refuse_misnamed, text_suffix
from sentiment_pipeline.inputs.unsupported import HEAD_BYTES, refuse_unsupported

__all__ = ["TextBatch", "open_texts"]

_STANDARD_INPUT = Path("standard input")
_BLOCK_LINES, _BLOCK_BYTES = 4096, 4 << 20


class TextBatch(NamedTuple):
    """Consecutive texts to score.

    Attributes:
        texts: the texts.
        columns: the other columns of the table that holds them, where they are kept; otherwise None.
        read: the fraction of the file that was read so far; None where that is not known.
    """

    texts: list[str]
    columns: pa.RecordBatch | None = None
    read: float | None = None


@contextmanager
def open_texts(path: Path | None, text: str = "") -> Iterator[Iterator[TextBatch]]:
    """The texts of a file, or of standard input for None, in batches; what is typed at a terminal, line by line.

    Args:
        path: of the file.
        text: the column of the texts in a table; then the other columns are kept. Empty: `text` or `content`, with
            `title` before it, and no other column is kept.

    Raises:
        PipelineError: the file cannot be read, is damaged, is of a format that is not read, or lacks the column.
    """
    with (
        open_for_reading(path) if path else nullcontext(0) as descriptor,
        BufferedReader(FileIO(descriptor, "rb", closefd=False), HEAD_BYTES) as file,
    ):
        yield (batch._replace(read=_fraction(descriptor)) for batch in _batches(file, path or _STANDARD_INPUT, text))


def _fraction(descriptor: int) -> float | None:
    """How far an open file was read; None for a pipe, and for a table, which is read by its path."""
    size, mode = os.fstat(descriptor).st_size, os.fstat(descriptor).st_mode
    position = os.lseek(descriptor, 0, os.SEEK_CUR) if stat.S_ISREG(mode) else 0
    return position / size if position > HEAD_BYTES else None


def _batches(file: "BufferedReader[Any]", path: Path, text: str) -> Iterator[TextBatch]:
    """The texts of an open file, whatever its format; `path` names it in errors."""
    head = file.peek()
    compression = compression_of(head)
    refuse_misnamed(path, compression)
    if compression:
        with damage_named(path):
            source = seekable(file) if compression == "zip" else file
            stream = BufferedReader(open_compressed(source, compression, path), HEAD_BYTES)
            yield from _text_batches(stream, path, text, f"a .{compression} of ")
    elif is_table(head):
        yield from _table_batches(file, path, text)
    else:
        yield from _text_batches(file, path, text)


def _text_batches(file: "BufferedReader[Any]", path: Path, text: str, within: str = "") -> Iterator[TextBatch]:
    """The texts of an open file of text.

    Args:
        within: what it was taken out of, for an error.
    """
    head = file.peek()
    refuse_unsupported(head, path, within)
    found = detect_format(head.removeprefix(BYTE_ORDER_MARK), text_suffix(path), text)
    blocks = _blocks(_lines_of(file), 1 if file.isatty() else _BLOCK_LINES)
    if isinstance(found, Lines):
        if text:
            refuse_lines(path, text)
        yield from (TextBatch([_text_of(line) for line in block]) for block in blocks)
    else:
        buffers = ((0, b"".join(line + b"\n" for line in block)) for block in blocks)
        columns, kept = _columns(found, path, text)
        for _, rows in found.rows(buffers, [*columns.names, *kept]):
            yield _batch_of_rows(rows, columns, kept, path)


def _table_batches(file: "BufferedReader[Any]", path: Path, text: str) -> Iterator[TextBatch]:
    """The texts of a Parquet or Arrow file; of a pipe from a copy on disk, since they are read from their end."""
    with NamedTemporaryFile() if path == _STANDARD_INPUT else nullcontext() as copy:
        on_disk = path
        if copy is not None:
            shutil.copyfileobj(file, copy)
            copy.flush()
            on_disk = Path(copy.name)
        table = open_table(on_disk)
        columns, kept = _columns(table, path, text)
        for _, rows in table.rows(range(table.groups or 0), [*columns.names, *kept]):
            yield _batch_of_rows(rows, columns, kept, path)


def _columns(found: Format | Table, path: Path, text: str) -> tuple[Columns, list[str]]:
    """The columns of the texts, and those that are kept beside the answers."""
    columns = choose_columns(found.columns, text, "", path, needs_label=False)
    return columns, [name for name in found.columns if name != columns.text] if text else []


def _batch_of_rows(rows: Rows, columns: Columns, kept: list[str], path: Path) -> TextBatch:
    """The texts of all rows but the blank ones, in order."""
    texts = [(value or b"").decode(errors="replace") for value in texts_of(rows, columns, path).to_pylist()]
    order: list[tuple[int, int | None, str]] = [
        *((int(number), row, texts[row]) for row, number in enumerate(rows.numbers)),
        *((each.line, None, each.raw.decode(errors="replace")) for each in rows.unreadable if each.reason != BLANK),
    ]
    order.sort(key=lambda each: each[0])
    index = pa.array([row for _, row, _ in order], pa.int64())
    others = pa.RecordBatch.from_arrays([rows.columns[name].take(index) for name in kept], names=kept) if kept else None
    return TextBatch([text for _, _, text in order], others)


def _blocks(lines: Iterable[bytes], at_once: int) -> Iterator[list[bytes]]:
    """`lines` in lists of at most `at_once`, cut sooner where they are long."""
    block, size = list[bytes](), 0
    for line in lines:
        block.append(line)
        size += len(line)
        if len(block) == at_once or size >= _BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _text_of(line: bytes) -> str:
    """A line's text, without the label of a fastText line."""
    if (line + b" ").startswith(LABELS):  # the space, because a label may stand alone
        line = line[TEXT_START:]
    return line.decode(errors="replace")


def _lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """Lines without their ends; of one longer than `LONGEST_LINE` the first so many bytes, the rest is passed over."""
    mark = BYTE_ORDER_MARK
    while line := file.readline(LONGEST_LINE):
        yield line.removeprefix(mark).rstrip(b"\r\n")
        mark = b""
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
