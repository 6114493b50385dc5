"""A file of reviews, divided into ranges that are read independently of each other where its format allows it.

Ranges of text are ranges of the bytes on disk. A line belongs to the range that holds the line feed before it; the
first line belongs to the first range. So a range begins after the first line feed of its text, and continues to the
first one of the text that follows it. The text of a range is that of the .bz2 blocks that begin in it, or simply its
bytes if the file is not compressed. Other compressed files, and CSV, whose records may hold line feeds, can only be
read from the beginning on: all their ranges at once. Ranges of Parquet and Arrow files are row groups.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.bz2_blocks import Block, decode_blocks
from sentiment_pipeline.inputs.columnar import Table, is_table, open_table
from sentiment_pipeline.inputs.compression import compression_of, damage_named, open_compressed
from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.inputs.formats import Format, detect_format
from sentiment_pipeline.inputs.labels import FASTTEXT_LABELS, Labels, choose_labels, label_strings, parse_labels
from sentiment_pipeline.inputs.lines import LABEL, Lines, line_batches, parse
from sentiment_pipeline.inputs.parsed import LONGEST_LINE, Parsed
from sentiment_pipeline.inputs.rows import Columns, choose_columns, labelled, refuse_lines
from sentiment_pipeline.inputs.unsupported import HEAD_BYTES, refuse_unsupported

__all__ = [
    "BYTE_ORDER_MARK",
    "COMPRESSED_SUFFIXES",
    "Source",
    "inspect",
    "open_for_reading",
    "read_ranges",
    "refuse_misnamed",
    "require_unchanged",
    "text_of_ranges",
    "text_suffix",
]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_READ_BYTES = 1 << 20
_LARGEST_BLOCK = 1 << 20  # bytes of a compressed block, with a margin
_BUFFER_BYTES = 16 << 20
COMPRESSED_SUFFIXES = (".bz2", ".gz", ".xz", ".zst", ".zip")


@dataclass(frozen=True)
class Source:
    """A file of reviews, as it was when it was inspected.

    Attributes:
        path: of the file.
        bytes: its size.
        modified_ns: its modification time, in nanoseconds since 1970.
        sha256: of its content, in hexadecimal.
        compression: `bz2`, `gz`, `xz`, `zst`, `zip` or empty.
        format: the format of its text, or the table that it is.
        columns: where its rows hold labels and texts.
        labels: which labels are negative and positive; None for fastText lines with the labels 1 and 2.
    """

    path: Path
    bytes: int
    modified_ns: int
    sha256: str
    compression: str
    format: Format | Table
    columns: Columns
    labels: Labels | None

    @property
    def splits(self) -> bool:
        """Whether a range is read without those before it."""
        return self.format.splits and self.compression in ("", "bz2")

    def range_count(self, size: int) -> int:
        """The number of ranges of `size` bytes; the last one may be smaller. A table has at most one for each group."""
        ranges = -(-self.bytes // size)
        if isinstance(self.format, Table) and self.format.groups is not None:
            return max(1, min(ranges, self.format.groups))
        return ranges


def inspect(path: Path, config: InputConfig) -> Source:
    """Inspect a file of labelled reviews; reads it once, for its hash.

    Raises:
        SettingsError: the setting `input.labels` is not of its form.
        PipelineError: the file does not exist, cannot be read, is empty, is not what its name says, is of no format
            that is read, or its columns or labels are not certain.
    """
    if path.is_fifo() or path.is_char_device():
        raise PipelineError(
            f"{path} is not a regular file, but reviews are read more than once; write them to one first"
        )
    with open_for_reading(path) as file:
        status = os.fstat(file)
        if status.st_size == 0:
            raise PipelineError(f"{path} is empty; give a file of labelled reviews")
        head = os.pread(file, HEAD_BYTES, 0)
    compression = compression_of(head)
    refuse_misnamed(path, compression)
    head = _decompressed_head(path, compression) if compression else head
    table = open_table(path) if is_table(head) and not compression else None
    if table is None:
        refuse_unsupported(head, path, f"a .{compression} of " if compression else "")
    head = head.removeprefix(BYTE_ORDER_MARK)
    found = table or detect_format(head, text_suffix(path), config.text)
    columns, labels = _columns_and_labels(found, head, path, config)
    return Source(path, status.st_size, status.st_mtime_ns, sha256(path), compression, found, columns, labels)


def refuse_misnamed(path: Path, compression: str) -> None:
    """Refuse a file whose name says that it is compressed, when it is not: most likely a failed download.

    Raises:
        PipelineError: it is such a file.
    """
    if path.suffix in COMPRESSED_SUFFIXES and not compression:
        raise PipelineError(
            f"{path} is not a {path.suffix} file, whatever its name says; "
            "make or download it again, or rename it if it is plain text"
        )


def text_suffix(path: Path) -> str:
    """The suffix of a file's name, without that of the compression: `.csv` for `reviews.csv.gz`."""
    return Path(path.stem).suffix if path.suffix in COMPRESSED_SUFFIXES else path.suffix


def _columns_and_labels(
    found: Format | Table, head: bytes, path: Path, config: InputConfig
) -> tuple[Columns, Labels | None]:
    """Where the rows hold labels and texts, and which labels are which."""
    labels = parse_labels(config.labels) if config.labels else None
    if isinstance(found, Lines):
        if config.text and not head.startswith(LABEL):
            refuse_lines(path, config.text)
        return Columns("text", None, "label"), labels
    columns = choose_columns(found.columns, config.text, config.label, path)
    return columns, labels or choose_labels(_first_labels(found, head, columns.label or "", path), path)


def _first_labels(found: Format | Table, head: bytes, column: str, path: Path) -> set[str]:
    """The labels of the first rows."""
    if isinstance(found, Table):
        rows = found.rows(range(min(1, found.groups or 0)), [column])
    else:
        rows = found.rows([(0, head[: head.rfind(b"\n") + 1] or head)], [column])
    for _, first in rows:
        return set(filter(None, label_strings(first.columns[column], path).to_pylist()))
    return set()


def _decompressed_head(path: Path, compression: str) -> bytes:
    """The first bytes of the text in a file.

    Raises:
        PipelineError: it is damaged there; not for a .bz2, of which `decode_blocks` can name the block.
    """
    with path.open("rb") as file:
        try:
            with damage_named(path):
                return BufferedReader(open_compressed(file, compression, path)).read(HEAD_BYTES)
        except PipelineError:
            if compression == "bz2":
                return b""
            raise


@contextmanager
def open_for_reading(path: Path) -> Iterator[int]:
    """Open a file; gives its descriptor.

    Raises:
        PipelineError: the file cannot be opened, or not be read in the context; names it.
    """
    try:
        file = os.open(path, os.O_RDONLY)
        try:
            yield file
        finally:
            os.close(file)
    except OSError as error:
        remedies = {
            FileNotFoundError: "check the path",
            PermissionError: "make it readable",
            IsADirectoryError: "give a file in it",
        }
        raise PipelineError(
            f"cannot read {path}: {(error.strerror or str(error)).lower()}; "
            f"{remedies.get(type(error), 'check the disk that holds it')}"
        ) from error


def read_ranges(source: Source, ranges: range, size: int) -> Generator[tuple[int, Parsed]]:
    """Yield the reviews of some ranges in order, some 16 MiB of text at a time, each with the index of its range.

    Args:
        source: the file.
        ranges: the indices of the ranges, one or more if the file `splits`, otherwise all of them.
        size: bytes of a range.

    Raises:
        PipelineError: the file is damaged or cannot be read.
    """
    read = _read_table if isinstance(source.format, Table) else _read_text
    yield from read(source, ranges, size)


def require_unchanged(source: Source) -> None:
    """Require that the file is still the one that was inspected.

    Raises:
        PipelineError: it is not.
    """
    with open_for_reading(source.path) as file:
        status = os.fstat(file)
    if (status.st_size, status.st_mtime_ns) != (source.bytes, source.modified_ns):
        raise PipelineError(f"{source.path} was changed while it was read; run again when it is complete")


def _read_table(source: Source, ranges: range, size: int) -> Iterator[tuple[int, Parsed]]:
    assert isinstance(source.format, Table)
    total, groups = source.range_count(size), source.format.groups
    for index in ranges if groups is not None else [0]:
        of_range = range(index * (groups or 0) // total, (index + 1) * (groups or 0) // total)
        for position, rows in source.format.rows(of_range, source.columns.names):
            parsed = labelled(rows, source.columns, source.labels or FASTTEXT_LABELS, source.path)
            yield index if groups is not None else min(position // size, total - 1), parsed


def _read_text(source: Source, ranges: range, size: int) -> Iterator[tuple[int, Parsed]]:
    assert not isinstance(source.format, Table)
    buffers = text_of_ranges(source, ranges, size)
    if isinstance(source.format, Lines) and source.labels is None:
        for index, buffer in buffers:
            yield from ((index, parse(batch)) for batch in line_batches(buffer))
    else:
        for index, rows in source.format.rows(buffers, source.columns.names):
            yield index, labelled(rows, source.columns, source.labels or FASTTEXT_LABELS, source.path)


def text_of_ranges(source: Source, ranges: range, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield the text of some ranges in buffers of whole lines of some 16 MiB, each with the index of its range.

    The last line of the file may lack its line feed. A line longer than `LONGEST_LINE` may be truncated to
    `LONGEST_LINE + 1` bytes or more. Arguments and errors are those of `read_ranges`.
    """
    with open_for_reading(source.path) as file:
        pieces: Iterator[tuple[int, bytes]]
        if source.splits:
            pieces = ((index, text) for index in ranges for text in _text_of_range(source, file, index, size))
        else:
            pieces = _assigned(_blocks_from_start(source, file), size, source.range_count(size))
        is_first = ranges.start == 0
        for index, group in groupby(pieces, itemgetter(0)):
            for buffer in _whole_lines(text for _, text in group):
                yield index, buffer.removeprefix(BYTE_ORDER_MARK) if is_first else buffer
                is_first = False


def _text_of_range(source: Source, file: int, index: int, size: int) -> Iterator[bytes]:
    """The text of the lines of one range, in pieces."""
    blocks = (
        decode_blocks(source.path, file, index * size)
        if source.compression
        else _plain_blocks(file, index * size, size)
    )
    with closing(blocks):
        yield from _owned_text(blocks, index == 0, (index + 1) * size)


def _blocks_from_start(source: Source, file: int) -> Iterator[Block]:
    """The text of a file that is read from its beginning on."""
    if not source.compression:
        yield from _plain_blocks(file, 0, source.bytes)
        return
    with os.fdopen(os.dup(file), "rb") as compressed, damage_named(source.path):
        stream = open_compressed(compressed, source.compression, source.path)
        position = 0
        while text := stream.read(_READ_BYTES):
            yield Block(position, text)
            position = stream.position


def _assigned(blocks: Iterator[Block], size: int, ranges: int) -> Iterator[tuple[int, bytes]]:
    """Yield the text of a whole file in pieces, each with the index of its range; a range ends with a line."""
    index = 0
    for block in blocks:
        due, text = min(block.byte // size, ranges - 1), block.text
        if due > index:
            line, is_complete, text = _partition_line(text)
            yield index, line
            index = due if is_complete else index
        yield index, text


def _plain_blocks(file: int, start: int, size: int) -> Generator[Block]:
    """The bytes of a plain file from `start` on, in blocks that do not cross a multiple of `size`."""
    while text := os.pread(file, min(_READ_BYTES, size - start % size), start):
        yield Block(start, text)
        start += len(text)


def _owned_text(blocks: Iterator[Block], first: bool, end: int) -> Iterator[bytes]:
    """Yield the text of the lines of one range, in pieces.

    Args:
        blocks: the blocks that begin in the range, and all that follow.
        first: whether it is the first range of the file.
        end: position of the first byte after the range.
    """
    begun = first
    for block in blocks:
        text = block.text
        if not begun:
            if block.byte >= end:
                return
            _, begun, text = _partition_line(text)
        if block.byte >= end:
            line, complete, _ = _partition_line(text)
            yield line
            if complete:
                return
        elif begun:
            yield text


def _partition_line(text: bytes) -> tuple[bytes, bool, bytes]:
    """The text through its first line feed, whether there is one, and the rest."""
    cut = text.find(b"\n") + 1
    return (text[:cut], True, text[cut:]) if cut else (text, False, b"")


def _whole_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join pieces of text into buffers of whole lines, each of at least `_BUFFER_BYTES` except the last."""
    ready, length, tail = list[bytes](), 0, b""
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if cut:
            ready += [tail, piece[:cut]]
            length += len(tail) + cut
            tail = b""
        tail = (tail + piece[cut:])[: LONGEST_LINE + 1]
        if length >= _BUFFER_BYTES:
            yield b"".join(ready)
            ready, length = [], 0
    if ready or tail:
        yield b"".join([*ready, tail])
