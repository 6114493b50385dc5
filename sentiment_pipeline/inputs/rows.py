"""Rows of a table, whatever format it has, to labels and texts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.labels import Labels, label_strings
from sentiment_pipeline.inputs.parsed import (
    DROPPED,
    LONGEST_LINE,
    NO_TEXT,
    NUL_BYTE,
    OTHER_LABEL,
    TOO_LONG,
    Parsed,
    Rejected,
)

__all__ = ["Columns", "Rows", "choose_columns", "labelled", "refuse_lines", "texts_of"]

_NULL_LABEL = "no label"
_TEXTS, _TITLE, _LABEL = ("text", "content"), "title", "label"


@dataclass(frozen=True)
class Columns:
    """The columns of a table that hold the reviews.

    Attributes:
        text: the column of the text.
        title: the column of the title, which is put before the text; None without one.
        label: the column of the label; None where labels are not read.
    """

    text: str
    title: str | None = None
    label: str | None = None

    @property
    def names(self) -> list[str]:
        """The columns to read."""
        return [name for name in (self.label, self.title, self.text) if name is not None]


@dataclass(frozen=True)
class Rows:
    """Consecutive rows of a table.

    Attributes:
        count: number of rows, including those that cannot be read.
        columns: the values of the rows that can be read, by column.
        numbers: the number of each of these rows among all, from 1; int64.
        raw: the bytes of one of these rows, by its index, for the table of rejected ones.
        unreadable: the other rows, in order.
    """

    count: int
    columns: Mapping[str, pa.Array]
    numbers: np.ndarray
    raw: Callable[[int], bytes]
    unreadable: Sequence[Rejected] = ()


def choose_columns(names: Sequence[str], text: str, label: str, path: Path, needs_label: bool = True) -> Columns:
    """Find the columns of the reviews by their names.

    Args:
        names: of all columns.
        text: the column of the text; empty: `text` or `content`, with `title` before it.
        label: the column of the label; empty: `label`.
        path: of the file, for the error.
        needs_label: whether labels are read.

    Raises:
        PipelineError: a column is missing; says which there are.

    >>> choose_columns(["stars", "Title", "text"], "", "stars", Path("reviews.csv"))
    Columns(text='text', title='Title', label='stars')
    """
    by_name = {name.lower(): name for name in reversed(names)} | {name: name for name in names}
    chosen = (
        by_name.get(text, by_name.get(text.lower()))
        if text
        else next((by_name[name] for name in _TEXTS if name in by_name), None)
    )
    if chosen is None:
        raise PipelineError(_missing(path, text or " or ".join(_TEXTS), names, "--text"))
    label_column = by_name.get(label or _LABEL, by_name.get(label.lower()))
    if needs_label and label_column is None:
        raise PipelineError(_missing(path, label or _LABEL, names, "--label"))
    return Columns(chosen, None if text else by_name.get(_TITLE), label_column if needs_label else None)


def refuse_lines(path: Path, text: str) -> None:
    """Refuse lines where the user has named a column.

    Raises:
        PipelineError: always.
    """
    raise PipelineError(
        f"{path} is no table with a column {text}: its first line names none; correct --text, or leave it out for lines"
    )


def _missing(path: Path, wanted: str, names: Sequence[str], option: str) -> str:
    return f"{path} has no column {wanted}; it has {', '.join(names)}; name the right one with {option} COLUMN"


def texts_of(rows: Rows, columns: Columns, path: Path) -> pa.BinaryArray:
    """The texts of rows, UTF-8, null where there is none; a title becomes `Title: text`, as in the fastText files.

    Raises:
        PipelineError: a column holds no text.
    """
    text = _as_text(rows.columns[columns.text], columns.text, path)
    if columns.title is None:
        return text
    title = _as_text(rows.columns[columns.title], columns.title, path)
    has_title = pc.greater(pc.fill_null(pc.binary_length(title), 0), 0)
    joined = pc.binary_join_element_wise(title, pc.fill_null(text, b""), pa.scalar(b": ", pa.binary()))
    return pc.if_else(has_title, joined, text)


def _as_text(column: pa.Array, name: str, path: Path) -> pa.BinaryArray:
    """A column as UTF-8 in one line a value."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_nested(kind):
        raise PipelineError(f"{path}: the column {name} holds {kind}, not text; name another with --text COLUMN")
    try:
        text = column.cast(pa.string()).cast(pa.binary())
    except pa.ArrowException as error:
        raise PipelineError(f"{path}: the column {name} holds {kind} that is not UTF-8 text ({error})") from error
    for feed in (b"\n", b"\r"):
        text = pc.replace_substring(text, feed, b" ")
    return text


def labelled(rows: Rows, columns: Columns, labels: Labels, path: Path) -> Parsed:
    """The labels and texts of rows; rows without either, or with another label, are rejected.

    Raises:
        PipelineError: a column holds no text.
    """
    assert columns.label is not None
    found = label_strings(rows.columns[columns.label], path)
    codes = pc.fill_null(pc.index_in(found, pa.array(labels.values, pa.string())), -1).to_numpy(zero_copy_only=False)
    texts = texts_of(rows, columns, path)
    counted = len(labels.negative) + len(labels.positive)
    is_good = (codes >= 0) & (codes < counted) & _is_usable(texts)
    rejected = [
        Rejected(
            int(rows.numbers[row]), _reason(found[row].as_py(), int(codes[row]) >= counted, texts[row], labels),
            rows.raw(row)[:LONGEST_LINE],
        )
        for row in np.flatnonzero(~is_good).tolist()
    ]  # fmt: skip
    is_positive = (codes[is_good] >= len(labels.negative)).astype(np.int8)
    everything = sorted([*rows.unreadable, *rejected], key=lambda each: each.line)
    size = int(pc.sum(pc.binary_length(texts)).as_py() or 0)
    return Parsed(rows.count, is_positive, texts.filter(pa.array(is_good)), everything, size)


def _is_usable(texts: pa.BinaryArray) -> np.ndarray:
    """Whether each text is there, not blank, without NUL and not too long; bool, [texts]."""
    size = pc.binary_length(texts)
    usable = pc.and_(pc.less_equal(size, LONGEST_LINE), pc.match_substring_regex(texts, r"(?s)\S"))
    usable = pc.and_not(usable, pc.match_substring(texts, b"\0"))
    return np.asarray(pc.fill_null(usable, False).to_numpy(zero_copy_only=False))


def _reason(label: str | None, is_dropped: bool, text: pa.BinaryScalar, labels: Labels) -> str:
    """Why a row is no review."""
    if label is None or not label:
        return _NULL_LABEL
    if is_dropped:
        return DROPPED
    if label not in labels.values:
        return OTHER_LABEL.format(label=label[:30], expected=labels.in_words)
    content = text.as_py() or b""
    if len(content) > LONGEST_LINE:
        return TOO_LONG
    return NUL_BYTE if b"\0" in content else NO_TEXT
