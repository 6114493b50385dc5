"""The reviews to score: lines of plain text or fastText lines, plain or .bz2, from a file or standard input.

Nothing is rejected here, because whoever pipes a thousand lines in wants a thousand answers: an empty line is an empty
text, bytes that are not UTF-8 become U+FFFD, and of an enormous line the beginning is read.
"""

import bz2
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from io import BufferedReader, FileIO, RawIOBase
from pathlib import Path
from typing import IO, Any

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.text.formats import HEAD_BYTES, refuse_unsupported
from sentiment_pipeline.text.lines import LABELS, LONGEST_LINE, TEXT_START
from sentiment_pipeline.text.source import BYTE_ORDER_MARK, BZ2_START, open_for_reading

__all__ = ["open_texts"]

_STANDARD_INPUT = Path("standard input")
_BLOCK_LINES, _BLOCK_BYTES = 4096, 4 << 20
_PIECE = 1 << 16  # bytes of a .bz2 file decompressed at once


@contextmanager
def open_texts(path: Path | None) -> Iterator[Iterator[list[str]]]:
    """The texts of a file, or of standard input for None, in blocks; what is typed at a terminal, line by line.

    Raises:
        PipelineError: the file cannot be read, or is a damaged .bz2.
    """
    with (
        open_for_reading(path) if path else nullcontext(0) as descriptor,
        BufferedReader(FileIO(descriptor, "rb", closefd=False), HEAD_BYTES) as file,
    ):
        yield _blocks(_lines_in(file, path or _STANDARD_INPUT), 1 if file.isatty() else _BLOCK_LINES)


def _blocks(lines: Iterable[bytes], at_once: int) -> Iterator[list[str]]:
    """The texts of `lines` in lists of at most `at_once`, cut sooner where the lines are long."""
    block, size = list[str](), 0
    for line in lines:
        block.append(_text_of(line))
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


def _lines_in(file: "BufferedReader[Any]", path: Path) -> Iterator[bytes]:
    """The lines of an open file, which is a .bz2 if it begins like one; `path` names it in errors."""
    head = file.peek()
    if not BZ2_START.match(head):
        refuse_unsupported(head, path)
        if path.suffix == ".bz2":
            raise PipelineError(f"{path} is not a .bz2 file, whatever its name says; rename it if it is plain text")
        yield from _lines_of(file)
        return
    try:
        text = BufferedReader(_Decompressed(file), HEAD_BYTES)
        refuse_unsupported(text.peek(), path, "a .bz2 of ")
        yield from _lines_of(text)
    except (OSError, EOFError) as error:
        raise PipelineError(f"{path} is damaged: {str(error).lower()}; make or download the file again") from error


class _Decompressed(RawIOBase):
    """The text of all streams of a .bz2 file; unlike `bz2.open` it does not end quietly where another thing follows.

    Raises:
        EOFError, OSError: a stream is cut short or damaged, or what follows one is none.
    """

    def __init__(self, file: BufferedReader) -> None:
        self.file, self.stream, self.rest = file, bz2.BZ2Decompressor(), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        text = b""
        while not text:
            if self.stream.eof:
                self.rest = self.stream.unused_data or self.file.read(_PIECE)
                while self.rest and not any(self.rest):  # zero padding after a stream; bzip2 takes it too
                    self.rest = self.file.read(_PIECE)
                if not self.rest:
                    return 0
                self.stream = bz2.BZ2Decompressor()
            data = b"" if not self.stream.needs_input else self.rest or self.file.read(_PIECE)
            if self.stream.needs_input and not data:
                raise EOFError("it ends in the middle of a stream")
            self.rest = b""
            text = self.stream.decompress(data, len(buffer))
        buffer[: len(text)] = text
        return len(text)


def _lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """Lines without their ends; of one longer than `LONGEST_LINE` the first so many bytes, the rest is passed over."""
    mark = BYTE_ORDER_MARK
    while line := file.readline(LONGEST_LINE):
        yield line.removeprefix(mark).rstrip(b"\r\n")
        mark = b""
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
