"""The rejected lines of a whole file: numbered through, cut at the line limit, and refused when they are too many."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.text.tables import REJECTED, parquet_writer, row_groups


@dataclass(frozen=True)
class Range:
    """What a range of a file held: its number of lines, and the table of those that were rejected."""

    lines: int
    rejected: Path


def collect_rejected(ranges: Sequence[Range], limit: int, output: Path) -> list[tuple[int, int]]:
    """Write the rejected lines among the first `limit` lines (0: all) of consecutive ranges, numbered from 1.

    Returns:
        How many lines and how many reviews (lines not rejected) of each range are within the limit.
    """
    within, before = [], 0
    with parquet_writer(output, REJECTED) as collected:
        for each in ranges:
            lines = min(each.lines, limit - before) if limit else each.lines
            rejected = 0
            for table in row_groups(each.rejected):
                table = table.filter(pc.less_equal(table["line"], lines))
                if len(table):
                    collected.write_table(table.set_column(0, "line", pc.add(table["line"], before)).cast(REJECTED))
                rejected += len(table)
            within.append((lines, lines - rejected))
            before += lines
    return within


def refuse_too_many(name: Path, rejected: Path, lines: int, fraction: float, minimum: int) -> None:
    """Stop when more than `minimum` lines and more than `fraction` of all lines of the file `name` are rejected.

    Raises:
        PipelineError: they are too many; says how many, and what is wrong with the first.
    """
    with pq.ParquetFile(rejected) as file:
        count = file.metadata.num_rows
        if count <= minimum or count <= fraction * lines:
            return
        line, reason = file.read_row_group(0, columns=["line", "reason"]).slice(0, 1).to_pylist()[0].values()
    raise PipelineError(
        f"{name}: {count:,} of {lines:,} lines are no labelled reviews (the first is line {line:,}: "
        f"{reason}); correct the file, or raise ingest.max_rejected_fraction, which is {fraction:g}"
    )
