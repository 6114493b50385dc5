"""Compressed files as streams of bytes that are read from the beginning, with the position in the file.

What is wrong with a file is never passed over: a stream that is cut short, fails its checks, or is followed by anything
but a further stream or the zero bytes that pad archives is an error that names the file.
"""

import bz2
import lzma
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Protocol

import pyarrow as pa

from sentiment_pipeline.errors import PipelineError

__all__ = ["CompressedFile", "compression_of", "damage_named", "open_compressed", "seekable"]

_PIECE = 1 << 16  # bytes of a file that are decompressed at once
_BZ2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")  # a stream header, then the magic number of a block or footer
_MAGIC = {"gz": b"\x1f\x8b", "xz": b"\xfd7zXZ\x00", "zst": b"\x28\xb5\x2f\xfd", "zip": b"PK\x03\x04"}
_ZIP_COPY = 16 << 20  # bytes of a piped archive that are held in memory before it goes to a temporary file


def compression_of(head: bytes) -> str:
    """The suffix of the compression of a file that begins with `head`: `bz2`, `gz`, `xz`, `zst`, `zip`, or empty.

    >>> compression_of(bz2.compress(b"text"))
    'bz2'
    """
    if _BZ2.match(head):
        return "bz2"
    return next((suffix for suffix, magic in _MAGIC.items() if head.startswith(magic)), "")


class _Decompressor(Protocol):
    """What `bz2.BZ2Decompressor` and `lzma.LZMADecompressor` have in common: one stream, piece by piece."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _GzipDecompressor:
    """`zlib`'s decompressor of one gzip member, as a `_Decompressor`."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max(max_length, 0))


class CompressedFile(RawIOBase):
    """The bytes in a compressed file.

    Attributes:
        position: number of bytes of the compressed file that were needed so far.
    """

    position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        raise NotImplementedError


class _Streams(CompressedFile):
    """All streams of a file that `new` decompresses.

    Raises:
        EOFError, OSError, lzma.LZMAError, zlib.error: a stream is cut short or damaged, or something else follows it.
    """

    def __init__(self, file: IO[bytes], new: Callable[[], _Decompressor]) -> None:
        self._file, self._new = file, new
        self._stream, self._rest = new(), b""

    def _read(self, size: int) -> bytes:
        data = b""
        while not data:
            if self._stream.eof and not self._begin_next():
                return b""
            compressed = (self._rest or self._next_piece()) if self._stream.needs_input else b""
            if self._stream.needs_input and not compressed:
                raise EOFError("it ends in the middle of a stream")
            self._rest = b""
            data = self._stream.decompress(compressed, size)
        return data

    def _begin_next(self) -> bool:
        """Begin the stream after the one that has ended; False at the end of the file."""
        self._rest = self._stream.unused_data or self._next_piece()
        while self._rest and not any(self._rest):  # zero padding, as of tapes and archives
            self._rest = self._next_piece()
        if self._rest:
            self._stream = self._new()
        return bool(self._rest)

    def _next_piece(self) -> bytes:
        piece = self._file.read(_PIECE)
        self.position += len(piece)
        return piece


class _Zstandard(CompressedFile):
    """All frames of a zstd file, decompressed by Arrow: Python's own module is newer than 3.11."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = _Counted(file)
        self._stream = pa.CompressedInputStream(pa.PythonFile(self._file, mode="r"), "zstd")

    def _read(self, size: int) -> bytes:
        data: bytes = self._stream.read(size)
        self.position = self._file.count
        return data


class _Counted(RawIOBase):
    """A file that counts the bytes read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.count = file, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.count += len(data)
        return data


class _ZipMember(CompressedFile):
    """The one file in a zip archive."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        archive = zipfile.ZipFile(file)
        members = [each for each in archive.infolist() if not each.is_dir()]
        if len(members) != 1:
            raise PipelineError(
                f"{path} is a zip archive of {len(members)} files; unpack it (unzip {path.name}) and give one of them"
            )
        if members[0].flag_bits & 1:
            raise PipelineError(f"{path} is an encrypted zip archive; unpack it and give the file in it")
        self._member, self._stream = members[0], archive.open(members[0])
        self._read_so_far = 0

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._read_so_far += len(data)
        self.position = self._member.compress_size * self._read_so_far // max(1, self._member.file_size)
        return data


def open_compressed(file: IO[bytes], compression: str, path: Path) -> CompressedFile:
    """The bytes in a compressed file, from its beginning on; to be read in the context of `damage_named`.

    Args:
        file: the compressed file, open at its beginning; for a zip archive `seekable`.
        compression: as `compression_of` gives it; not empty.
        path: names the file in errors.

    Raises:
        PipelineError: it is a zip archive of no file or of several, or an encrypted one.
    """
    if compression == "zst":
        return _Zstandard(file)
    if compression == "zip":
        return _ZipMember(file, path)
    new: dict[str, Callable[[], _Decompressor]] = {
        "bz2": bz2.BZ2Decompressor,
        "gz": _GzipDecompressor,
        "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ),
    }
    return _Streams(file, new[compression])


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Make an error of a decompressor a `PipelineError` that names the file."""
    try:
        yield
    except (EOFError, OSError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        reason = str(error).partition("\n")[0].lower()
        raise PipelineError(f"{path} is damaged: {reason}; make or download the file again") from error


def seekable(file: IO[bytes]) -> IO[bytes]:
    """The file itself, or for a pipe a temporary copy of what is left of it."""
    if file.seekable():
        return file
    copy = SpooledTemporaryFile(_ZIP_COPY)  # noqa: SIM115, deleted when it is closed
    shutil.copyfileobj(file, copy)
    copy.seek(0)
    return copy
