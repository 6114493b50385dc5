"""Ranges of a file of reviews to tables of cleaned reviews and of rejected lines."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pyarrow as pa

from sentiment_pipeline.inputs.parsed import Parsed
from sentiment_pipeline.inputs.ranges import read_ranges, require_unchanged
from sentiment_pipeline.inputs.source import Source
from sentiment_pipeline.text.cleaning import clean_all
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.tables import OTHER_LINES, REVIEWS, parquet_writer

__all__ = ["write_reviews"]

Tables = Callable[[int], AbstractContextManager[tuple[Path, Path]]]


def write_reviews(
    source: Source, ranges: range, size: int, config: CleaningConfig, tables: Tables, limit: int = 0
) -> list[dict[str, int]]:
    """Write the reviews of some ranges of a file, and its other lines; holds some 16 MiB of text at a time.

    Args:
        source: the file.
        ranges: the indices of the ranges; all of them if the file cannot be split.
        size: bytes of a range.
        config: how to clean the texts.
        tables: gives the paths of the two tables of a range: for `label` (int8) and the cleaned `text` of each review,
            and for `line` (from 1 within the range), `reason` and `raw` of each other line.
        limit: number of lines after which the rest may be left out; 0: none.

    Returns:
        Of each range the number of `lines`, of `reviews` among them, of `positive` ones among these, and the `bytes` of
        the text.

    Raises:
        PipelineError: the file is damaged, cannot be read, or has changed.
    """
    facts, lines = list[dict[str, int]](), 0
    with closing(read_ranges(source, ranges, size)) as batches:
        groups = groupby(batches, itemgetter(0))
        index, group = next(groups, (-1, None))
        for wanted in ranges:
            parsed: Iterable[Parsed] = ()
            if group is not None and index == wanted and not 0 < limit <= lines:
                parsed = (each for _, each in group)
            with tables(wanted) as (reviews, others):
                facts.append(_write_range(parsed, config, reviews, others))
            lines += facts[-1]["lines"]
            if index == wanted and not 0 < limit <= lines:
                index, group = next(groups, (-1, None))
    require_unchanged(source)
    return facts


def _write_range(batches: Iterable[Parsed], config: CleaningConfig, reviews: Path, others: Path) -> dict[str, int]:
    """Write the two tables of one range."""
    facts = {"lines": 0, "reviews": 0, "positive": 0, "bytes": 0}
    with parquet_writer(reviews, REVIEWS) as good, parquet_writer(others, OTHER_LINES) as bad:
        for parsed in batches:
            good.write_table(pa.table([pa.array(parsed.labels), clean_all(parsed.texts, config)], REVIEWS))
            bad.write_table(_table_of_others(parsed, facts["lines"]))
            found = (parsed.lines, len(parsed.texts), int(parsed.labels.sum()), parsed.bytes)
            facts = {name: value + more for (name, value), more in zip(facts.items(), found, strict=True)}
    return facts


def _table_of_others(parsed: Parsed, lines_before: int) -> pa.Table:
    return pa.table(
        {
            "line": [lines_before + each.line for each in parsed.rejected],
            "reason": [each.reason for each in parsed.rejected],
            "raw": [each.raw for each in parsed.rejected],
        },
        OTHER_LINES,
    )
