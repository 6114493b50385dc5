"""The answers: JSON lines for pipes and people, Parquet for many."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_pipeline.engine.files import published
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.predict.predictor import label_of

__all__ = ["check_output", "write_json", "write_parquet"]

_ROW_GROUP = 1 << 18  # rows of a Parquet file that are written at once
_SCHEMA = pa.schema([("line", pa.int64()), ("label", pa.string()), ("probability", pa.float32())])


def write_json(predictions: Iterable[np.ndarray], file: IO[str]) -> None:
    """Write one JSON object a line, `{"label": "positive", "probability": 0.98}`, each block as soon as it is scored.

    Ends quietly when the reader of `file` has closed it.

    Raises:
        PipelineError: the answers cannot be written, for example to a full disk.
    """
    try:
        for block in predictions:
            file.writelines(
                json.dumps({"label": label_of(value), "probability": round(value, 6)}) + "\n"
                for value in block.tolist()
            )
            file.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())  # for what Python still flushes when it exits
        if not isinstance(error, BrokenPipeError):
            raise PipelineError(
                f"cannot write the answers: {str(error.strerror).lower()}; make room, or write them elsewhere"
            ) from error


def check_output(path: Path) -> None:
    """Refuse a file for `write_parquet` before anything is scored.

    Raises:
        SettingsError: its name does not end in `.parquet`.
        PipelineError: it exists and holds no predictions, such as the reviews themselves.
    """
    if path.suffix != ".parquet":
        raise SettingsError(f"{path}: predictions are written as Parquet; give --output a name that ends in .parquet")
    if path.is_file() and not _holds_predictions(path):
        raise PipelineError(f"{path} exists and holds no predictions; delete it, or choose another name for --output")


def _holds_predictions(path: Path) -> bool:
    try:
        return bool(pq.read_schema(path).equals(_SCHEMA))
    except (pa.ArrowException, OSError):
        return False


def write_parquet(predictions: Iterable[np.ndarray], path: Path) -> int:
    """Publish a Parquet file: `line` int64 from 1, `label` string, `probability` float32; return its number of rows.

    Raises:
        PipelineError: the file cannot be written.
    """
    lines = 0
    with published(path) as temporary, pq.ParquetWriter(temporary, _SCHEMA) as writer:
        for block in _row_groups(predictions):
            numbers = np.arange(lines + 1, lines + 1 + len(block))
            labels = pa.array([label_of(value) for value in block.tolist()], pa.string())
            writer.write_table(pa.table([numbers, labels, block], schema=_SCHEMA))
            lines += len(block)
    return lines


def _row_groups(predictions: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Join blocks into arrays of at least `_ROW_GROUP` rows, but for the last."""
    waiting, size = list[np.ndarray](), 0
    for block in predictions:
        waiting.append(block)
        size += len(block)
        if size >= _ROW_GROUP:
            yield np.concatenate(waiting)
            waiting, size = [], 0
    if waiting:
        yield np.concatenate(waiting)
