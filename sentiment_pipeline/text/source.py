"""A file of reviews, divided into byte ranges that are read independently of each other.

A line belongs to the range that holds the line feed before it; the first line belongs to the first range. So a range
begins after the first line feed of its text, and continues to the first one of the text that follows it. The text of a
range is that of the .bz2 blocks that begin in it, or simply its bytes if the file is not compressed.
"""

import bz2
import os
import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.text.bz2_blocks import Block, decode_blocks
from sentiment_pipeline.text.formats import HEAD_BYTES, refuse_unsupported
from sentiment_pipeline.text.lines import LONGEST_LINE

__all__ = ["BYTE_ORDER_MARK", "BZ2_START", "Source", "inspect", "open_for_reading", "read_range"]

BZ2_START = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")  # a stream header, then the magic number of a block or footer
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_READ_BYTES = 1 << 20
_LARGEST_BLOCK = 1 << 20  # bytes of a compressed block, with a margin
_BUFFER_BYTES = 16 << 20


@dataclass(frozen=True)
class Source:
    """A file of reviews, as it was when it was inspected.

    Attributes:
        path: of the file.
        bytes: its size.
        modified_ns: its modification time, in nanoseconds since 1970.
        sha256: of its content, in hexadecimal.
        compressed: whether it is a .bz2.
    """

    path: Path
    bytes: int
    modified_ns: int
    sha256: str
    compressed: bool

    def range_count(self, size: int) -> int:
        """The number of ranges of `size` bytes; the last one may be smaller."""
        return -(-self.bytes // size)


def inspect(path: Path) -> Source:
    """Inspect a file of reviews; reads it once, for its hash.

    Raises:
        PipelineError: the file does not exist, cannot be read, is empty, is not the .bz2 that its name says, or is not
            lines of text.
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
        compressed = BZ2_START.match(head) is not None
        if compressed:
            refuse_unsupported(_decompressed_head(file), path, "a .bz2 of ")
        else:
            refuse_unsupported(head, path)
    if path.suffix == ".bz2" and not compressed:
        raise PipelineError(
            f"{path} is not a .bz2 file, whatever its name says; "
            "make or download it again, or rename it if it is plain text"
        )
    return Source(path, status.st_size, status.st_mtime_ns, sha256(path), compressed)


def _decompressed_head(file: int) -> bytes:
    """The first bytes of the text of a .bz2 file; none if it is damaged there, which is reported when it is read."""
    try:
        return bz2.BZ2Decompressor().decompress(os.pread(file, _LARGEST_BLOCK, 0), HEAD_BYTES)
    except OSError:
        return b""


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


def read_range(source: Source, index: int, size: int) -> Iterator[bytes]:
    """Yield the lines of one byte range, in buffers of whole lines of some 16 MiB.

    The last line of the file may lack its line feed. A line longer than `LONGEST_LINE` may be truncated to
    `LONGEST_LINE + 1` bytes or more.

    Args:
        source: the file.
        index: of the range.
        size: bytes of a range.

    Raises:
        PipelineError: the file is damaged, cannot be read, or has changed since it was inspected.
    """
    with open_for_reading(source.path) as file:
        blocks = (
            decode_blocks(source.path, file, index * size)
            if source.compressed
            else _plain_blocks(file, index * size, size)
        )
        with closing(blocks):
            buffers = _whole_lines(_owned_text(blocks, index == 0, (index + 1) * size))
            for number, buffer in enumerate(buffers):
                yield buffer.removeprefix(BYTE_ORDER_MARK) if index == number == 0 else buffer
        status = os.fstat(file)
    if (status.st_size, status.st_mtime_ns) != (source.bytes, source.modified_ns):
        raise PipelineError(f"{source.path} was changed while it was read; run again when it is complete")


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
