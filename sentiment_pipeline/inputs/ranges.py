"""The ranges of a file of reviews, read independently of each other where its format allows it.

Ranges of text are ranges of the bytes on disk. A line belongs to the range that holds the line feed before it; the
first line belongs to the first range. So a range begins after the first line feed of its text, and continues to the
first one of the text that follows it. The text of a range is that of the .bz2 blocks that begin in it, or simply its
bytes if the file is not compressed. Other compressed files, and CSV, whose records may hold line feeds, can only be
read from the beginning on: all their ranges at once. Ranges of Parquet and Arrow files are row groups.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.bz2_blocks import Block, decode_blocks
from sentiment_pipeline.inputs.columnar import Table
from sentiment_pipeline.inputs.compression import damage_named, open_compressed
from sentiment_pipeline.inputs.labels import FASTTEXT_LABELS
from sentiment_pipeline.inputs.lines import Lines, line_batches, parse
from sentiment_pipeline.inputs.parsed import LONGEST_LINE, Parsed
from sentiment_pipeline.inputs.rows import labelled
from sentiment_pipeline.inputs.source import BYTE_ORDER_MARK, Source, open_for_reading

__all__ = ["read_ranges", "require_unchanged", "text_of_ranges"]

_READ_BYTES = 1 << 20
_BUFFER_BYTES = 16 << 20


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
