"""A file of reviews: what it is, as far as its content leaves no doubt."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.columnar import Table, is_table, open_table
from sentiment_pipeline.inputs.compression import compression_of, damage_named, open_compressed
from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.inputs.formats import Format, detect_format
from sentiment_pipeline.inputs.labels import Labels, choose_labels, label_strings, parse_labels
from sentiment_pipeline.inputs.lines import LABEL, Lines
from sentiment_pipeline.inputs.rows import Columns, choose_columns, refuse_lines
from sentiment_pipeline.inputs.unsupported import HEAD_BYTES, refuse_unsupported

__all__ = [
    "BYTE_ORDER_MARK",
    "COMPRESSED_SUFFIXES",
    "Source",
    "inspect",
    "open_for_reading",
    "refuse_misnamed",
    "text_suffix",
]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
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
