"""The blocks of a .bz2 file from any byte on, so that a range of it is decoded without what comes before.

bzip2 compresses blocks of at most 900 kB each on its own. A 48-bit number, at any bit position, begins each block,
another one ends a stream, and a file may hold many streams. A block cut out between two such marks, shifted to a
byte border and closed with a stream end that repeats its own checksum, is a whole .bz2 file, which libbz2 decodes and
checks. Bits inside a block that look like a mark by chance cut it short; the check tells, and the next mark is tried
as its end. The format: https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf
"""

import bz2
import os
import re
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from sentiment_pipeline.errors import PipelineError

__all__ = ["Block", "decode_blocks"]

_BLOCK, _STREAM_END = 0x314159265359, 0x177245385090
_MARK_BITS, _CHECKSUM_BITS = 48, 32
_STREAM_HEADER = re.compile(rb"BZh[1-9]")
_HEADER_BYTES = 4
_PIECE = 1 << 20
_CHANCES = 4  # marks tried as the end of a block; even the first is the true one but once in some 10^8 blocks


@dataclass(frozen=True)
class _Mark:
    """The bits that begin a block or end a stream, at bit `bit` of the file."""

    bit: int
    begins_block: bool


@dataclass(frozen=True)
class Block:
    """A block's text, and the byte of the file in which the block begins."""

    byte: int
    text: bytes


def decode_blocks(path: Path, file: int, start: int) -> Generator[Block]:
    """The blocks that begin in byte `start` of the open file or later, in order, to its end.

    From the first block on, each must begin where the one before it ends. If the first is damaged and `start` is
    not 0, it is passed over as bits that look like a mark: whoever reads the block before it reports it.

    Raises:
        PipelineError: a block is damaged, or the file is incomplete; names the file, the block and its bytes.
    """
    size = os.fstat(file).st_size
    marks = _find_marks(file, start, size)
    ahead = deque(islice(marks, _CHANCES + 1))
    due = 8 * _HEADER_BYTES if start == 0 else None
    while True:
        mark = ahead.popleft() if ahead else None
        if due is not None and (mark is None or mark.bit != due):
            raise _damaged(path, file, due, mark)
        if mark is None:
            return
        if not mark.begins_block:
            if due is not None and (due := _next_stream(path, file, mark, size)) is None:
                return
        elif found := _decode_first(file, mark, ahead):
            text, end = found
            while ahead[0] is not end:
                ahead.popleft()
            yield Block(mark.bit // 8, text)
            due = end.bit
        elif due is not None:
            raise _damaged(path, file, mark.bit, ahead[0] if ahead else None)
        ahead.extend(islice(marks, _CHANCES + 1 - len(ahead)))


def _find_marks(file: int, start: int, size: int) -> Iterator[_Mark]:
    """All marks that begin in byte `start` of the file or later, in order."""
    for place in range(start, size, _PIECE):
        for mark in _marks_in(os.pread(file, _PIECE + 6, place)):
            yield _Mark(8 * place + mark.bit, mark.begins_block)


def _marks_in(data: bytes) -> list[_Mark]:
    """Marks in a piece of a file that begin in any but its last six bytes.

    At each of the eight bit positions a mark has a second and a third byte of its own: tables of these leave one
    place in two hundred to be compared in full.
    """
    codes = np.frombuffer(data + bytes(6), np.uint8)
    places = np.flatnonzero(_SECOND_BYTE[codes[1 : max(len(data), 7) - 5]])
    places = places[_THIRD_BYTE[codes[places + 2]]]
    words = sum(codes[places + byte].astype(np.uint64) << np.uint64(48 - 8 * byte) for byte in range(7))
    found = []
    for shift in range(8):
        aligned = (words >> np.uint64(8 - shift)) & np.uint64((1 << _MARK_BITS) - 1)
        for value in (_BLOCK, _STREAM_END):
            found += [_Mark(8 * place + shift, value == _BLOCK) for place in places[aligned == value].tolist()]
    return sorted(found, key=lambda mark: mark.bit)


def _byte_table(byte: int) -> np.ndarray:
    """Which values the byte of that number can have where a mark begins at one of the eight bits of byte 0."""
    table = np.zeros(256, bool)
    for value in (_BLOCK, _STREAM_END):
        table[[value >> (_MARK_BITS - 8 - 8 * byte + shift) & 255 for shift in range(8)]] = True
    return table


_SECOND_BYTE, _THIRD_BYTE = _byte_table(1), _byte_table(2)


def _decode_first(file: int, mark: _Mark, ends: deque[_Mark]) -> tuple[bytes, _Mark] | None:
    """The text of the block at `mark` and the first of `ends` that is its end; None if it is damaged, or no block."""
    for end in islice(ends, _CHANCES):
        text = _decode(file, mark.bit, end.bit)
        if text is not None:
            return text, end
    return None


def _decode(file: int, start: int, end: int) -> bytes | None:
    """The text of the block in the bits from `start` to `end`; None if they are not one good block."""
    data = os.pread(file, (end + 7) // 8 - start // 8, start // 8)
    bits = (int.from_bytes(data) >> -end % 8) & ((1 << end - start) - 1)
    checksum = bits >> (end - start - _MARK_BITS - _CHECKSUM_BITS) & ((1 << _CHECKSUM_BITS) - 1)
    stream = ((bits << _MARK_BITS | _STREAM_END) << _CHECKSUM_BITS | checksum) << (start - end) % 8
    decompressor = bz2.BZ2Decompressor()
    try:
        text = decompressor.decompress(b"BZh9" + stream.to_bytes((end - start + _MARK_BITS + _CHECKSUM_BITS + 7) // 8))
    except OSError:
        return None
    return text if decompressor.eof else None


def _next_stream(path: Path, file: int, end: _Mark, size: int) -> int | None:
    """The bit at which the first mark of the next stream must be; None at the end of the file."""
    byte = (end.bit + _MARK_BITS + _CHECKSUM_BITS + 7) // 8
    if byte > size:
        raise _incomplete(path, size)
    if byte == size:
        return None
    if not _STREAM_HEADER.match(os.pread(file, _HEADER_BYTES, byte)):
        if _only_zeros(file, byte, size):  # padding, as of tapes and archives; bzip2 takes it too
            return None
        raise PipelineError(
            f"{path} is damaged at byte {byte:,}: a bzip2 stream ends there and no other begins; "
            "make or download the file again"
        )
    return 8 * (byte + _HEADER_BYTES)


def _only_zeros(file: int, start: int, size: int) -> bool:
    """Whether an open file holds nothing but zero bytes from byte `start` on."""
    return all(not any(os.pread(file, _PIECE, place)) for place in range(start, size, _PIECE))


def _damaged(path: Path, file: int, start: int, end: _Mark | None) -> PipelineError:
    """The error for what should be a whole block from bit `start` to the mark `end`, or to the end of the file."""
    if end is None:
        return _incomplete(path, os.fstat(file).st_size)
    number = sum(mark.begins_block for mark in _find_marks(file, 0, start // 8 + 1) if mark.bit <= start)
    return PipelineError(
        f"{path} is damaged: bzip2 block {number:,}, which begins at byte {start // 8:,}, fails its "
        f"checks (the damage lies before byte {end.bit // 8 + 6:,}); make or download the file again"
    )


def _incomplete(path: Path, size: int) -> PipelineError:
    return PipelineError(
        f"{path} is incomplete: it ends at byte {size:,} in the middle of a bzip2 stream; "
        "make or download the file again"
    )
