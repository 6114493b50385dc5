"""One range of a file of reviews to a table of cleaned reviews and one of rejected lines."""

from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import pyarrow as pa

from sentiment_pipeline.text.cleaning import clean_all
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.lines import Parsed, line_batches, parse
from sentiment_pipeline.text.source import Source, read_range
from sentiment_pipeline.text.tables import REJECTED, REVIEWS, parquet_writer

__all__ = ["write_reviews"]


def write_reviews(
    source: Source, index: int, size: int, config: CleaningConfig, reviews: Path, rejected: Path
) -> dict[str, int]:
    """Write the reviews of one byte range of a file, and its other lines; holds some 16 MiB of text at a time.

    Args:
        source: the file.
        index: of the range.
        size: bytes of a range.
        config: how to clean the texts.
        reviews: gets `label` (int8) and the cleaned `text` of each review.
        rejected: gets `line` (from 1 within the range), `reason` and `raw` of each rejected or blank line.

    Returns:
        The number of `lines`, of `reviews` among them, of `positive` ones among these, and the `bytes` of the text.

    Raises:
        PipelineError: the file is damaged, cannot be read, or has changed.
    """
    lines = accepted = positive = size_of_text = 0
    with ExitStack() as stack:
        good = stack.enter_context(parquet_writer(reviews, REVIEWS))
        bad = stack.enter_context(parquet_writer(rejected, REJECTED))
        for buffer in chain.from_iterable(map(line_batches, read_range(source, index, size))):
            parsed = parse(buffer)
            good.write_table(_table_of_reviews(parsed, config))
            bad.write_table(_table_of_rejected(parsed, lines))
            lines += parsed.lines
            accepted += len(parsed.texts)
            positive += int(parsed.labels.sum())
            size_of_text += len(buffer)
    return {"lines": lines, "reviews": accepted, "positive": positive, "bytes": size_of_text}


def _table_of_reviews(parsed: Parsed, config: CleaningConfig) -> pa.Table:
    return pa.table([pa.array(parsed.labels), clean_all(parsed.texts, config)], REVIEWS)


def _table_of_rejected(parsed: Parsed, lines_before: int) -> pa.Table:
    return pa.table(
        {
            "line": [lines_before + each.line for each in parsed.rejected],
            "reason": [each.reason for each in parsed.rejected],
            "raw": [each.raw for each in parsed.rejected],
        },
        REJECTED,
    )
