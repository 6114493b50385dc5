"""Reviews to token ids: two look-ups for each chunk, its row in the merged dictionary and the ids of that row."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from sentiment_pipeline.layout import SPLITS
from sentiment_pipeline.text.ragged import concat_ranges, offsets_of
from sentiment_pipeline.text.tables import (
    ENCODED,
    TOKEN_IDS,
    checked_indices,
    map_arrow,
    parquet_writer,
    row_groups,
    to_numpy,
)

__all__ = ["write_encoded"]


def write_encoded(
    reviews: Path,
    chunks: Path,
    merged_rows: np.ndarray,
    chunk_ids: Path,
    splits: np.ndarray,
    outputs: Mapping[str, Path],
) -> dict[str, dict[str, int]]:
    """Write the encoded reviews of a shard, those of each split to a Parquet file of its own, in their order.

    Args:
        reviews: the table of the shard's reviews.
        chunks: the lists of codes of `write_shard`; may hold fewer reviews.
        merged_rows: the row in the merged dictionary of each code (`MergedDictionary.of_shard`); int64, [codes].
        chunk_ids: the lists of ids of `write_vocabulary`, one for each row of the merged dictionary.
        splits: the split of each review, as an index into `layout.SPLITS`; uint8, [reviews].
        outputs: a file for each split that occurs.

    Returns:
        The number of `reviews` and `tokens` by split.

    Raises:
        PipelineError: a file is damaged.
    """
    with ExitStack() as stack:
        files = {split: stack.enter_context(parquet_writer(path, ENCODED)) for split, path in outputs.items()}
        counts = {split: {"reviews": 0, "tokens": 0} for split in outputs}
        row = 0
        for table in _encoded(reviews, chunks, merged_rows, chunk_ids):
            here = splits[row : row + len(table)]
            for split, file in files.items():
                is_chosen = here == SPLITS.index(split)
                chosen = table if is_chosen.all() else table.filter(pa.array(is_chosen))
                file.write_table(chosen)
                counts[split]["reviews"] += len(chosen)
                counts[split]["tokens"] += len(chosen["token_ids"].combine_chunks().flatten())
            row += len(table)
    return counts


def _encoded(reviews: Path, chunks: Path, merged_rows: np.ndarray, chunk_ids: Path) -> Iterator[pa.Table]:
    """Yield the shard's reviews with their token ids, a row group at a time, some 16 MiB of text."""
    with map_arrow(chunk_ids) as (merged,), map_arrow(chunks) as batches:
        ids, offsets = to_numpy(merged["ids"].values), to_numpy(merged["ids"].offsets)
        starts, lengths = offsets[merged_rows], offsets[merged_rows + 1] - offsets[merged_rows]
        for table, batch in zip(row_groups(reviews), batches, strict=False):
            codes = checked_indices(batch["chunks"].values, len(merged_rows))
            length = lengths[codes]
            token_ids = pa.array(ids[concat_ranges(starts[codes], length)])
            first_chunks = to_numpy(batch["chunks"].offsets)
            first_tokens = pa.array(offsets_of(length)[first_chunks].astype(np.int32))
            column = pa.ListArray.from_arrays(first_tokens, token_ids, TOKEN_IDS)
            yield pa.table([*table.slice(0, len(column)).columns, column], ENCODED)
