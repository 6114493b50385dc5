"""A file of reviews, cut into ranges of its bytes that are read independently of each other.

A line belongs to the range that holds the line feed before it; the first line belongs to the first range. So a range
begins after the first line feed of its text and reads on to the first one of what follows, and no range needs to know
anything of the others. The text of a range is that of the .bz2 blocks that begin in it, or its very bytes.
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
from sentiment_pipeline.text.formats import HEAD_BYTES, refuse_foreign
from sentiment_pipeline.text.lines import LONGEST_LINE

__all__ = ["BYTE_ORDER_MARK", "BZ2_START", "Source", "inspect", "open_for_reading", "read_range"]

BZ2_START = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PIECE = 1 << 20
_LARGEST_BLOCK = 1 << 20  # bytes of a compressed block, with a margin
_BUFFER = 16 << 20


@dataclass(frozen=True)
class Source:
    """A file of reviews as it was when it was first looked at.

    Attributes:
        compressed: whether it is a .bz2.
        changed: its modification time, in nanoseconds.
    """

    path: Path
    bytes: int
    changed: int
    sha256: str
    compressed: bool

    def ranges(self, size: int) -> int:
        """How many ranges of `size` bytes it has."""
        return -(-self.bytes // size)


def inspect(path: Path) -> Source:
    """Look at a file of reviews; reads it once, for its hash.

    Raises:
        PipelineError: there is no such file, or it cannot be read, is empty, is not the .bz2 that its name says, or is
            another kind of file than lines of text.
    """
    if path.is_fifo() or path.is_char_device():
        raise PipelineError(f"{path} is not a regular file, which is read more than once; write it to a file first")
    with open_for_reading(path) as file:
        status = os.fstat(file)
        if status.st_size == 0:
            raise PipelineError(f"{path} is empty; give a file of labelled reviews")
        head = os.pread(file, HEAD_BYTES, 0)
        compressed = BZ2_START.match(head) is not None
        if compressed:
            refuse_foreign(_decompressed_head(file), path, "a .bz2 of ")
        else:
            refuse_foreign(head, path)
    if path.suffix == ".bz2" and not compressed:
        raise PipelineError(
            f"{path} is not a .bz2 file, whatever its name says; "
            "make or download it again, or rename it if it is plain text"
        )
    return Source(path, status.st_size, status.st_mtime_ns, sha256(path), compressed)


def _decompressed_head(file: int) -> bytes:
    """The first bytes of the text of an open .bz2 file; none if it is damaged there, which is found when it is read."""
    try:
        return bz2.BZ2Decompressor().decompress(os.pread(file, _LARGEST_BLOCK, 0), HEAD_BYTES)
    except OSError:
        return b""


@contextmanager
def open_for_reading(path: Path) -> Iterator[int]:
    """A descriptor of the file, for reading.

    Raises:
        PipelineError: it cannot be opened or read; names it.
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
    """The lines of range `index` of `size` bytes each, in buffers of whole lines of some 16 MiB.

    The last line of the file may lack its line feed. Of a line longer than `LONGEST_LINE`, at least the first
    `LONGEST_LINE + 1` bytes are given, and the rest may be left out.

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
    if (status.st_size, status.st_mtime_ns) != (source.bytes, source.changed):
        raise PipelineError(f"{source.path} was changed while it was read; run again when it is complete")


def _plain_blocks(file: int, start: int, size: int) -> Generator[Block]:
    """The bytes of a plain file from `start` on, in pieces that do not reach over a multiple of `size`."""
    while text := os.pread(file, min(_PIECE, size - start % size), start):
        yield Block(start, text)
        start += len(text)


def _owned_text(blocks: Iterator[Block], first: bool, end: int) -> Iterator[bytes]:
    """The text of the lines of the range that ends before byte `end`, in pieces.

    Args:
        blocks: those that begin in the range, and then all that follow.
        first: whether it is the file's first range.
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
    """Join pieces of text and cut them at line ends, in buffers of at least `_BUFFER` bytes but for the last."""
    ready, length, tail = list[bytes](), 0, b""
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if cut:
            ready += [tail, piece[:cut]]
            length += len(tail) + cut
            tail = b""
        tail = (tail + piece[cut:])[: LONGEST_LINE + 1]
        if length >= _BUFFER:
            yield b"".join(ready)
            ready, length = [], 0
    if ready or tail:
        yield b"".join([*ready, tail])
