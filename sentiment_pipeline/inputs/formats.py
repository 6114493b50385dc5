"""The formats of text that are read, recognized by the content of a file and not by its name.

To add one: a module with a class that has the attributes and the method of `Format`, and its line in `detect_format`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from sentiment_pipeline.inputs.delimited import detect_delimited
from sentiment_pipeline.inputs.json_lines import detect_json_lines
from sentiment_pipeline.inputs.lines import Lines
from sentiment_pipeline.inputs.rows import Rows

__all__ = ["Format", "detect_format"]


class Format(Protocol):
    """A format of files of text.

    Attributes:
        columns: the names of its columns.
        splits: whether each line stands alone, so that a range of the file is read without those before it.
    """

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def splits(self) -> bool: ...

    def rows(self, buffers: Iterable[tuple[int, bytes]], wanted: Sequence[str]) -> Iterator[tuple[int, Rows]]:
        """Yield the rows of a file.

        Args:
            buffers: the text in buffers of whole lines, each with an index; from the beginning of the file, unless
                `splits`.
            wanted: the columns to read.

        Yields:
            Rows, with the index of the buffer in which they begin.
        """
        ...


def detect_format(head: bytes, suffix: str, text: str) -> Format:
    """The format of a file of text that begins with `head`; lines if it is no other.

    Args:
        head: the beginning of the text.
        suffix: of the file's name, without that of the compression.
        text: the column of the text as the user names it; empty: any usual one.

    >>> detect_format(b'{"text": "Loved it"}\\n', "", "").columns
    ('text',)
    """
    return detect_json_lines(head) or detect_delimited(head, suffix, text) or Lines()
