"""The lines of a whole file that are not reviews: numbered, summarized, and too many of them refused.

Lines that are dropped silently can be half of a class. So the summary names every reason. And whatever the settings
allow, a file is refused if one class is missing or if many lines have another label.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.formatting import counted
from sentiment_pipeline.inputs.parsed import BLANK, DROPPED, OTHER_LABEL
from sentiment_pipeline.text.tables import REJECTED, parquet_writer, row_groups

__all__ = ["FileRanges", "LineSummary", "Range", "collect_rejected", "refuse_unfit"]

_OTHER_LABELS = 10  # so many lines with another label may be a slip; more are another kind of data
_OTHER_LABEL_START = OTHER_LABEL.partition("{")[0]
_SHOWN_BYTES = 60  # of a rejected line
_SHOWN_REASONS = 5


@dataclass(frozen=True)
class Range:
    """A byte range of a file, as `write_reviews` left it.

    Attributes:
        lines: number of its lines.
        positive: number of its positive reviews.
        reviews: the table of its reviews.
        others: the table of its other lines, numbered from 1 within the range.
    """

    lines: int
    positive: int
    reviews: Path
    others: Path


@dataclass(frozen=True)
class FileRanges:
    """The ranges of a file, in order from its beginning.

    Attributes:
        path: of the file.
        name: what it is called in tables and warnings.
        ranges: the ranges; the paths of their tables may be relative to the data folder.
    """

    path: Path
    name: str
    ranges: Sequence[Range]

    def below(self, folder: Path) -> "FileRanges":
        """The same, with the paths of the tables below `folder`."""
        ranges = [replace(each, reviews=folder / each.reviews, others=folder / each.others) for each in self.ranges]
        return replace(self, ranges=ranges)


@dataclass
class LineSummary:
    """The lines of a file, up to the limit: reviews, rejected lines and blank ones.

    Attributes:
        lines: number of all lines.
        parts: number of reviews in each range.
        positive: number of positive reviews.
        blank: number of lines with nothing but white space.
        dropped: number of lines with a label that `input.labels` drops.
        reasons: number of rejected lines for each reason.
        first: number and beginning of the first rejected line; None if there is none.
    """

    lines: int = 0
    parts: list[int] = field(default_factory=list)
    positive: int = 0
    blank: int = 0
    dropped: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first: tuple[int, str] | None = None

    @classmethod
    def of_all(cls, summaries: Sequence["LineSummary"]) -> "LineSummary":
        """The summary of several files, one after another."""
        whole = cls()
        for each in summaries:
            whole.lines += each.lines
            whole.parts += each.parts
            whole.positive += each.positive
            whole.blank += each.blank
            whole.dropped += each.dropped
            whole.reasons += each.reasons
            whole.first = whole.first or each.first
        return whole

    @property
    def reviews(self) -> int:
        """Number of reviews."""
        return sum(self.parts)

    @property
    def rejected(self) -> int:
        """Number of rejected lines."""
        return self.reasons.total()

    @property
    def rejected_in_words(self) -> str:
        """How many lines were rejected, why, and the first of them; empty if there is none."""
        if self.first is None:
            return ""
        shown = [f"{count:,}: {reason}" for reason, count in self.reasons.most_common(_SHOWN_REASONS)]
        if more := len(self.reasons) - len(shown):
            shown.append(counted(more, "more reason"))
        line, text = self.first
        return (
            f"{self.rejected:,} of {counted(self.lines, 'line')} rejected ({'; '.join(shown)}); "
            f"the first is line {line:,}: {text!r}"
        )

    def warnings(self, name: str) -> list[str]:
        """A sentence on the rejected lines of the file `name`, one on the blank and one on the dropped ones, if any."""
        found = [
            (self.rejected, self.rejected_in_words),
            (self.blank, f"{counted(self.blank, 'blank line')} skipped"),
            (self.dropped, f"{counted(self.dropped, 'review')} dropped, as input.labels says"),
        ]
        return [f"{name}: {words}" for count, words in found if count]


def collect_rejected(files: Sequence[FileRanges], limit: int, output: Path) -> list[LineSummary]:
    """Collect the rejected lines of files, and number them from 1 in each.

    Args:
        files: the files, whose lines are read one file after another.
        limit: number of lines to look at, the first ones; 0: all.
        output: gets the rejected lines: Parquet, `file`, `line`, `reason` and `raw`.

    Returns:
        A summary of each file.
    """
    summaries, left = list[LineSummary](), limit
    with parquet_writer(output, REJECTED) as collected:
        for file in files:
            summaries.append(LineSummary())
            for each in file.ranges:
                _collect_range(
                    each, file.name, min(each.lines, left) if limit else each.lines, summaries[-1], collected
                )
                left = max(0, left - each.lines)
    return summaries


def _collect_range(each: Range, name: str, lines: int, summary: LineSummary, collected: pq.ParquetWriter) -> None:
    """Add the first lines of a range to the summary of its file, and the rejected ones among them to the table."""
    others = 0
    for table in row_groups(each.others):
        table = table.filter(pc.less_equal(table["line"], lines))
        others += len(table)
        summary.blank += _count(table, BLANK)
        summary.dropped += _count(table, DROPPED)
        rejected = table.filter(pc.invert(pc.is_in(table["reason"], pa.array([BLANK, DROPPED]))))
        if len(rejected):
            numbers = pc.add(rejected["line"], summary.lines)
            columns = [pa.array([name] * len(rejected)), numbers, rejected["reason"], rejected["raw"]]
            numbered = pa.table(columns, REJECTED)
            collected.write_table(numbered)
            _add(summary, numbered)
    reviews = lines - others
    summary.parts.append(reviews)
    summary.positive += each.positive if lines == each.lines else _positive(each.reviews, reviews)
    summary.lines += lines


def refuse_unfit(
    files: Sequence[FileRanges], summaries: Sequence[LineSummary], max_fraction: float, allowed_lines: int
) -> None:
    """Refuse files that cannot be trained on or tested with.

    Args:
        files: the files of an input.
        summaries: of the lines of each.
        max_fraction: the largest fraction of a file's lines that may be rejected.
        allowed_lines: number of rejected lines of a file that are allowed, whatever fraction they are.

    Raises:
        PipelineError: a file has no review, many lines with another label, or too many rejected lines; or one class is
            missing in all files together.
    """
    for file, summary in zip(files, summaries, strict=True):
        _refuse_file(file.path, summary, max_fraction, allowed_lines)
    whole = LineSummary.of_all(summaries)
    if whole.positive in (0, whole.reviews):
        name = str(files[0].path) if len(files) == 1 else f"{len(files)} files from {files[0].path} on"
        rejected = f"; {whole.rejected_in_words}" if whole.first else ""
        present, missing = ("negative", "positive") if whole.positive == 0 else ("positive", "negative")
        raise PipelineError(
            f"{name}: all {counted(whole.reviews, 'review')} are {present}, none is {missing}{rejected}; "
            "give reviews of both classes, and mix them where ingest.train_lines or test_lines reads only the first"
        )


def _refuse_file(name: Path, summary: LineSummary, max_fraction: float, allowed_lines: int) -> None:
    """Refuse a file without reviews, with many lines with another label, or with too many rejected ones."""
    rejected = f"; {summary.rejected_in_words}" if summary.first else ""
    if not summary.reviews:
        raise PipelineError(
            f"{name} holds no labelled review{rejected}; give a file of lines such as '__label__2 I liked it', or a "
            "table of labels and texts"
        )
    for reason, count in summary.reasons.most_common():
        if reason.startswith(_OTHER_LABEL_START) and count > _OTHER_LABELS:
            raise PipelineError(f"{name}: {count:,} lines have {reason}; relabel or remove them, or set input.labels")
    if summary.rejected > max(allowed_lines, max_fraction * summary.lines):
        raise PipelineError(
            f"{name}: {summary.rejected_in_words}; correct the file, or raise ingest.max_rejected_fraction, which is "
            f"{max_fraction:g}"
        )


def _count(table: pa.Table, reason: str) -> int:
    return int(pc.sum(pc.equal(table["reason"], reason)).as_py() or 0)


def _add(summary: LineSummary, rejected: pa.Table) -> None:
    """Add rejected lines to the summary: their reasons, and the first line of the file."""
    for each in pc.value_counts(rejected["reason"]).to_pylist():
        summary.reasons[each["values"]] += each["counts"]
    if summary.first is None:
        raw = rejected["raw"][0].as_py()
        summary.first = (rejected["line"][0].as_py(), raw[:_SHOWN_BYTES].decode(errors="replace"))


def _positive(reviews: Path, count: int) -> int:
    """The number of positive ones among the first `count` reviews of a table."""
    labels = pq.read_table(reviews, columns=["label"])["label"].slice(0, count)
    return int(pc.sum(labels).as_py() or 0)
