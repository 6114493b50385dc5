"""Parquet and Arrow: tables whose row groups or record batches are read independently of each other."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.rows import Rows

__all__ = ["Table", "is_table", "open_table"]

_MAGIC = {b"PAR1": "Parquet", b"ARROW1\x00\x00": "Arrow", b"\xff\xff\xff\xff": "Arrow stream"}
_BATCH_ROWS = 1 << 12  # rows that are held in memory at once


@dataclass(frozen=True)
class Table:
    """A Parquet or Arrow file.

    Attributes:
        path: of the file.
        kind: `Parquet`, `Arrow` or `Arrow stream`.
        columns: the names of its columns.
        groups: number of its row groups or record batches; None for an Arrow stream, which has no index of them.
    """

    path: Path
    kind: str
    columns: tuple[str, ...]
    groups: int | None

    @property
    def splits(self) -> bool:
        """Whether a group is read without those before it."""
        return self.groups is not None

    def rows(self, groups: range, wanted: Sequence[str]) -> Iterator[tuple[int, Rows]]:
        """Yield the rows of some groups, a few thousand at a time.

        Args:
            groups: their indices; not used for an Arrow stream.
            wanted: the columns to read.

        Yields:
            For an Arrow stream the position in the file, in bytes, otherwise 0; and the rows.

        Raises:
            PipelineError: the file is damaged.
        """
        batches = {"Parquet": _parquet_batches, "Arrow": _file_batches, "Arrow stream": _stream_batches}[self.kind]
        with _damage_named(self.path):
            for position, batch in batches(self.path, groups, wanted):
                for start in range(0, len(batch), _BATCH_ROWS):
                    yield position, _rows(batch.slice(start, _BATCH_ROWS))


def is_table(head: bytes) -> bool:
    """Whether a file that begins with `head` is a Parquet or Arrow file."""
    return head.startswith(tuple(_MAGIC))


def open_table(path: Path) -> Table:
    """The table in a Parquet or Arrow file.

    Raises:
        PipelineError: the file is damaged.
    """
    with path.open("rb") as start:
        head = start.read(max(map(len, _MAGIC)))
    kind = next(kind for magic, kind in _MAGIC.items() if head.startswith(magic))
    with _damage_named(path), pa.OSFile(str(path)) as file:
        if kind == "Parquet":
            parquet = pq.ParquetFile(file)
            return Table(path, kind, tuple(parquet.schema_arrow.names), parquet.metadata.num_row_groups)
        if kind == "Arrow":
            arrow = pa.ipc.open_file(file)
            return Table(path, kind, tuple(arrow.schema.names), arrow.num_record_batches)
        return Table(path, kind, tuple(pa.ipc.open_stream(file).schema.names), None)


def _rows(batch: pa.RecordBatch) -> Rows:
    def raw(row: int) -> bytes:
        return json.dumps(batch.slice(row, 1).to_pylist()[0], ensure_ascii=False, default=str).encode(errors="replace")

    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    return Rows(len(batch), columns, np.arange(1, len(batch) + 1), raw)


_Batches = Iterator[tuple[int, pa.RecordBatch]]


def _parquet_batches(path: Path, groups: range, columns: Sequence[str]) -> _Batches:
    with pq.ParquetFile(path) as file:
        options: dict[str, Any] = {"row_groups": list(groups), "columns": list(columns), "use_threads": False}
        for batch in file.iter_batches(_BATCH_ROWS, **options):
            batch.validate(full=True)
            yield 0, batch.select(list(columns))


def _file_batches(path: Path, groups: range, columns: Sequence[str]) -> _Batches:
    with pa.memory_map(str(path)) as source:
        file = pa.ipc.open_file(source)
        for group in groups:
            yield 0, _checked(file.get_batch(group), columns)


def _stream_batches(path: Path, groups: range, columns: Sequence[str]) -> _Batches:
    with pa.OSFile(str(path)) as source:
        for batch in pa.ipc.open_stream(source):
            yield source.tell(), _checked(batch, columns)


def _checked(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.RecordBatch:
    """Some columns of a batch; Arrow follows offsets unchecked, even out of the file."""
    chosen = batch.select(list(columns))
    chosen.validate(full=True)
    return chosen


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise PipelineError(f"{path} is damaged ({reason}); make or download the file again") from error
