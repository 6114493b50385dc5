"""The answers: JSON lines for pipes and people; Parquet, JSON lines or CSV as a file."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sentiment_pipeline.engine.files import published
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.predict.predictor import Scored, label_of

__all__ = ["check_output", "write_file", "write_json"]

_ROW_GROUP = 1 << 18  # rows of a Parquet file that are written at once
_LINE, _LABEL, _PROBABILITY, _WORDS = "line", "label", "probability", "words"
_WORD = pa.struct([("word", pa.string()), ("effect", pa.float32()), ("start", pa.int32()), ("end", pa.int32())])


def write_json(scored: Iterable[Scored], file: IO[str]) -> None:
    """Write one JSON object a line, `{"label": "positive", "probability": 0.98}`, each batch as soon as it is scored.

    The columns that are kept of a table come first, the words that moved the score last. Ends quietly when the reader
    of `file` has closed it.

    Raises:
        PipelineError: the answers cannot be written, for example to a full disk.
    """
    try:
        for batch in scored:
            file.writelines(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in _rows(batch))
            file.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())  # for what Python still flushes when it exits
        if not isinstance(error, BrokenPipeError):
            raise PipelineError(
                f"cannot write the answers: {str(error.strerror).lower()}; make room, or write them elsewhere"
            ) from error


def write_file(scored: Iterable[Scored], path: Path) -> int:
    """Publish the answers as a file whose format its suffix names: `.parquet`, `.jsonl` or `.csv`.

    Its columns are `line` (int64, from 1; not in JSON lines), those that are kept of a table, `label`, `probability`
    (float32) and, where they are wanted, `words`. An answer whose name a kept column has is called `predicted_label` or
    `predicted_probability`.

    Returns:
        The number of rows.

    Raises:
        PipelineError: the file cannot be written.
    """
    with published(path) as temporary:
        return _WRITERS[path.suffix](scored, temporary)


def check_output(path: Path, reviews: Path | None = None) -> None:
    """Refuse a file for `write_file` before anything is scored.

    Args:
        path: of the file.
        reviews: the file that is scored.

    Raises:
        SettingsError: its suffix names no format.
        PipelineError: it is the file that is scored, or it exists and holds no predictions.
    """
    if path.suffix not in _WRITERS:
        raise SettingsError(
            f"{path}: predictions are written as Parquet, JSON lines or CSV; give --output a name that ends in "
            f"{', '.join(_WRITERS)}"
        )
    is_input = reviews is not None and reviews.exists() and path.exists() and path.samefile(reviews)
    if is_input or (path.is_file() and not _holds_predictions(path)):
        raise PipelineError(f"{path} exists and holds no predictions; delete it, or choose another name for --output")


def _holds_predictions(path: Path) -> bool:
    """Whether a file is one that `write_file` has written."""
    try:
        if path.suffix == ".parquet":
            names = pq.read_schema(path).names
        else:
            with path.open(encoding="utf-8", newline="") as file:
                start = file.readline(1 << 20)
            names = next(csv.reader([start])) if path.suffix == ".csv" else [_LINE, *json.loads(start)]
    except (pa.ArrowException, OSError, ValueError, StopIteration, csv.Error, TypeError):
        return False
    kept = [name for name in names[1:] if name != _WORDS][:-2]
    return bool(names) and names == [_LINE, *kept, *_answers(kept), *([_WORDS] if names[-1] == _WORDS else [])]


def _answers(kept: Sequence[str]) -> list[str]:
    """The names of the label and the probability beside columns that are kept."""
    return [f"predicted_{name}" if name in kept else name for name in (_LABEL, _PROBABILITY)]


def _rows(batch: Scored) -> Iterator[dict[str, Any]]:
    """The answers as objects: the kept columns, the label, the probability, the words."""
    kept = batch.columns.schema.names if batch.columns is not None else []
    label, probability = _answers(kept)
    others = batch.columns.to_pylist() if batch.columns is not None else [{}] * len(batch.probabilities)
    for row, (values, value) in enumerate(zip(others, batch.probabilities.tolist(), strict=True)):
        found = {**values, label: label_of(value), probability: round(value, 6)}
        if batch.words is not None:
            found[_WORDS] = [{**word._asdict(), "effect": round(word.effect, 4)} for word in batch.words[row]]
        yield found


def _tables(scored: Iterable[Scored]) -> Iterator[pa.Table]:
    """The answers as tables of one schema: `line`, the kept columns, the label, the probability, the words.

    Raises:
        PipelineError: a kept column holds values of several types, as JSON lines may.
    """
    schema, lines = None, 0
    for batch in scored:
        others = batch.columns if batch.columns is not None else pa.record_batch({})
        kept = others.schema.names
        columns = {_LINE: pa.array(np.arange(lines + 1, lines + 1 + len(batch.probabilities)))}
        columns |= {name: others[name] for name in kept}
        labels = pa.array([label_of(value) for value in batch.probabilities.tolist()], pa.string())
        columns |= dict(zip(_answers(kept), (labels, pa.array(batch.probabilities)), strict=True))
        if batch.words is not None:
            columns[_WORDS] = pa.array([[word._asdict() for word in words] for words in batch.words], pa.list_(_WORD))
        table = pa.table(columns)
        schema = schema or _without_nulls(table.schema)
        try:
            yield table.cast(schema)
        except (pa.ArrowException, ValueError) as error:
            raise PipelineError(
                f"a kept column holds values of several types ({error}); write .jsonl, or convert the column"
            ) from error
        lines += len(table)
    if schema is None:
        yield pa.schema([(_LINE, pa.int64()), (_LABEL, pa.string()), (_PROBABILITY, pa.float32())]).empty_table()


def _without_nulls(schema: pa.Schema) -> pa.Schema:
    """A schema with strings where the first values of a column are all missing."""
    fields = [pa.field(each.name, pa.string()) if pa.types.is_null(each.type) else each for each in schema]
    return pa.schema(fields)


def _write_parquet(scored: Iterable[Scored], path: Path) -> int:
    tables = _joined(_tables(scored))
    first = next(tables)
    with pq.ParquetWriter(path, first.schema) as writer:
        return sum(_written(writer, table) for table in chain([first], tables))


def _write_csv(scored: Iterable[Scored], path: Path) -> int:
    tables = (_with_words_as_json(table) for table in _tables(scored))
    first = next(tables)
    with pa.csv.CSVWriter(path, first.schema) as writer:
        return sum(_written(writer, table) for table in chain([first], tables))


def _written(writer: pq.ParquetWriter | pa.csv.CSVWriter, table: pa.Table) -> int:
    writer.write_table(table)
    return len(table)


def _with_words_as_json(table: pa.Table) -> pa.Table:
    """A table whose words are text, as a CSV file holds nothing else."""
    if _WORDS not in table.schema.names:
        return table
    words = [json.dumps(each, ensure_ascii=False) for each in table[_WORDS].to_pylist()]
    return table.set_column(table.schema.get_field_index(_WORDS), _WORDS, pa.array(words, pa.string()))


def _write_json_lines(scored: Iterable[Scored], path: Path) -> int:
    rows = 0
    with path.open("w", encoding="utf-8") as file:
        for batch in scored:
            write_json([batch], file)
            rows += len(batch.probabilities)
    return rows


def _joined(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join tables into some of at least `_ROW_GROUP` rows, but for the last."""
    waiting, size = list[pa.Table](), 0
    for table in tables:
        waiting.append(table)
        size += len(table)
        if size >= _ROW_GROUP:
            yield pa.concat_tables(waiting)
            waiting, size = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


_WRITERS: dict[str, Callable[[Iterable[Scored], Path], int]] = {
    ".parquet": _write_parquet,
    ".jsonl": _write_json_lines,
    ".csv": _write_csv,
}
