"""The blocks of a .bz2 file from any byte on, so that a range of it is decoded without what comes before.

bzip2 compresses blocks of at most 900 kB independently. A 48-bit magic number, at any bit position, begins each block,
another one ends a stream, and a file may hold many streams. A block is cut out between two magic numbers, shifted to a
byte boundary, and closed with a stream footer that repeats the block's own checksum. The result is a whole .bz2 file,
which libbz2 decodes and checks. Bits inside a block that match a magic number by chance would cut it short; then the
checksum is wrong, and the next magic number is tried as its end.

The format: https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf
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

_BLOCK_MAGIC, _FOOTER_MAGIC = 0x314159265359, 0x177245385090
_MAGIC_BITS, _CHECKSUM_BITS = 48, 32
_STREAM_HEADER = re.compile(rb"BZh[1-9]")
_HEADER_BYTES = 4
_READ_BYTES = 1 << 20
_CANDIDATES = 4  # magic numbers tried as the end of a block; the first is wrong once in some 10^8 blocks


@dataclass(frozen=True)
class _Magic:
    """A magic number at bit `bit` of the file, which begins a block or ends a stream."""

    bit: int
    begins_block: bool


@dataclass(frozen=True)
class Block:
    """A decoded block.

    Attributes:
        byte: position in the file of the byte in which the block begins.
        text: the decompressed bytes.
    """

    byte: int
    text: bytes


def decode_blocks(path: Path, file: int, start: int) -> Generator[Block]:
    """Decode the blocks of a .bz2 file that begin in byte `start` or later, in order, to the end of the file.

    Each block after the first must begin where the one before it ends. If `start` is not 0, a damaged first block is
    skipped, since it cannot be told from bits that match a magic number by chance; reading from an earlier byte reports
    it.

    Args:
        path: names the file in errors.
        file: descriptor of the file, open for reading.
        start: position of a byte in the file.

    Raises:
        PipelineError: a block is damaged, or the file is incomplete; names the file, the block and its bytes.

    250 kB that cannot be compressed are three blocks at level 1, which holds up to 100 kB in each. The first begins in
    byte 4, so from byte 5 on there are two (`folder` is any folder):

    >>> path = folder / "reviews.bz2"
    >>> count = path.write_bytes(bz2.compress(np.random.default_rng(0).bytes(250_000), compresslevel=1))
    >>> with path.open("rb") as file:
    ...     [(block.byte, len(block.text)) for block in decode_blocks(path, file.fileno(), 0)]
    ...     [(block.byte, len(block.text)) for block in decode_blocks(path, file.fileno(), 5)]
    [(4, 99981), (100779, 99981), (201547, 50038)]
    [(100779, 99981), (201547, 50038)]
    """
    size = os.fstat(file).st_size
    numbers = _find_magic(file, start, size)
    ahead = deque(islice(numbers, _CANDIDATES + 1))
    due = 8 * _HEADER_BYTES if start == 0 else None  # the bit at which the next magic number must be, if it is known
    while True:
        magic = ahead.popleft() if ahead else None
        if due is not None and (magic is None or magic.bit != due):
            raise _damaged(path, file, due, magic)
        if magic is None:
            return
        if not magic.begins_block:
            if due is not None and (due := _next_stream(path, file, magic, size)) is None:
                return
        elif decoded := _decode_first(file, magic, ahead):
            text, end = decoded
            while ahead[0] is not end:
                ahead.popleft()
            yield Block(magic.bit // 8, text)
            due = end.bit
        elif due is not None:
            raise _damaged(path, file, magic.bit, ahead[0] if ahead else None)
        ahead.extend(islice(numbers, _CANDIDATES + 1 - len(ahead)))


def _find_magic(file: int, start: int, size: int) -> Iterator[_Magic]:
    """The magic numbers that begin in byte `start` of the file or later, in order."""
    for position in range(start, size, _READ_BYTES):
        for magic in _magic_in(os.pread(file, _READ_BYTES + 6, position)):
            yield _Magic(8 * position + magic.bit, magic.begins_block)


def _magic_in(data: bytes) -> list[_Magic]:
    """The magic numbers that begin in any but the last six bytes of `data`.

    A magic number has other second and third bytes at each of the eight bit positions. Tables of these bytes leave one
    position in two hundred to be compared in full.
    """
    codes = np.frombuffer(data + bytes(6), np.uint8)
    positions = np.flatnonzero(_SECOND_BYTE[codes[1 : max(len(data), 7) - 5]])
    positions = positions[_THIRD_BYTE[codes[positions + 2]]]
    words = sum(codes[positions + byte].astype(np.uint64) << np.uint64(48 - 8 * byte) for byte in range(7))
    found = []
    for shift in range(8):
        aligned = (words >> np.uint64(8 - shift)) & np.uint64((1 << _MAGIC_BITS) - 1)
        for value in (_BLOCK_MAGIC, _FOOTER_MAGIC):
            bits = 8 * positions[aligned == value] + shift
            found += [_Magic(bit, value == _BLOCK_MAGIC) for bit in bits.tolist()]
    return sorted(found, key=lambda magic: magic.bit)


def _byte_table(byte: int) -> np.ndarray:
    """The values that a byte can have if a magic number begins at one of the eight bits of byte 0; bool, shape (256,).

    Args:
        byte: index of the byte.
    """
    table = np.zeros(256, bool)
    for value in (_BLOCK_MAGIC, _FOOTER_MAGIC):
        table[[value >> (_MAGIC_BITS - 8 - 8 * byte + shift) & 255 for shift in range(8)]] = True
    return table


_SECOND_BYTE, _THIRD_BYTE = _byte_table(1), _byte_table(2)


def _decode_first(file: int, magic: _Magic, ends: deque[_Magic]) -> tuple[bytes, _Magic] | None:
    """The text of the block at `magic` and the first of `ends` that is its end; None if it is damaged, or no block."""
    for end in islice(ends, _CANDIDATES):
        text = _decode(file, magic.bit, end.bit)
        if text is not None:
            return text, end
    return None


def _decode(file: int, start: int, end: int) -> bytes | None:
    """The text of the block in the bits from `start` to `end`; None if they are not exactly one intact block."""
    data = os.pread(file, (end + 7) // 8 - start // 8, start // 8)
    bits = (int.from_bytes(data) >> -end % 8) & ((1 << end - start) - 1)
    checksum = bits >> (end - start - _MAGIC_BITS - _CHECKSUM_BITS) & ((1 << _CHECKSUM_BITS) - 1)
    stream = ((bits << _MAGIC_BITS | _FOOTER_MAGIC) << _CHECKSUM_BITS | checksum) << (start - end) % 8
    size = (end - start + _MAGIC_BITS + _CHECKSUM_BITS + 7) // 8
    decompressor = bz2.BZ2Decompressor()
    try:
        text = decompressor.decompress(b"BZh9" + stream.to_bytes(size))
    except OSError:
        return None
    return text if decompressor.eof else None


def _next_stream(path: Path, file: int, footer: _Magic, size: int) -> int | None:
    """The bit at which the first magic number of the next stream must be; None at the end of the file."""
    byte = (footer.bit + _MAGIC_BITS + _CHECKSUM_BITS + 7) // 8
    if byte > size:
        raise _incomplete(path, size)
    if byte == size:
        return None
    if not _STREAM_HEADER.match(os.pread(file, _HEADER_BYTES, byte)):
        if _only_zeros(file, byte, size):  # padding, as of tapes and archives; bzip2 accepts it too
            return None
        raise PipelineError(
            f"{path} is damaged at byte {byte:,}: a bzip2 stream ends there and no other begins; "
            "make or download the file again"
        )
    return 8 * (byte + _HEADER_BYTES)


def _only_zeros(file: int, start: int, size: int) -> bool:
    """Whether the file holds nothing but zero bytes from byte `start` on."""
    return all(not any(os.pread(file, _READ_BYTES, position)) for position in range(start, size, _READ_BYTES))


def _damaged(path: Path, file: int, start: int, end: _Magic | None) -> PipelineError:
    """The error for a damaged block from bit `start` to the magic number `end`, or to the end of the file for None."""
    if end is None:
        return _incomplete(path, os.fstat(file).st_size)
    number = sum(magic.begins_block for magic in _find_magic(file, 0, start // 8 + 1) if magic.bit <= start)
    return PipelineError(
        f"{path} is damaged: bzip2 block {number:,}, which begins at byte {start // 8:,}, fails its "
        f"checks (the damage lies before byte {end.bit // 8 + 6:,}); make or download the file again"
    )


def _incomplete(path: Path, size: int) -> PipelineError:
    return PipelineError(
        f"{path} is incomplete: it ends at byte {size:,} in the middle of a bzip2 stream; "
        "make or download the file again"
    )
