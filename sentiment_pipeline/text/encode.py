"""Reviews to token ids: two look-ups for each chunk, its chunk of the union and the ids of that."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from sentiment_pipeline.layout import SPLITS
from sentiment_pipeline.text.ragged import bounds, ranges
from sentiment_pipeline.text.tables import (
    ENCODED,
    TOKEN_IDS,
    checked_indices,
    map_arrow,
    numpy,
    parquet_writer,
    row_groups,
)

__all__ = ["write_encoded"]


def write_encoded(
    reviews: Path,
    chunks: Path,
    union_rows: np.ndarray,
    chunk_ids: Path,
    splits: np.ndarray,
    outputs: Mapping[str, Path],
) -> dict[str, dict[str, int]]:
    """Write the encoded reviews of a shard, those of each split to a file of its own, in their order.

    Args:
        reviews: the table of the shard's reviews.
        chunks: the file of their lists of codes; may hold fewer.
        union_rows: int64, shape (codes,): the chunk of the union that each code stands for.
        chunk_ids: the file with the list of ids of each chunk of the union.
        splits: uint8, shape (reviews,): the places of their splits in SPLITS.
        outputs: a file for each split that occurs.

    Returns:
        The number of `reviews` and `tokens` by split.
    """
    with ExitStack() as stack:
        files = {split: stack.enter_context(parquet_writer(path, ENCODED)) for split, path in outputs.items()}
        counts = {split: {"reviews": 0, "tokens": 0} for split in outputs}
        row = 0
        for table in _encoded(reviews, chunks, union_rows, chunk_ids):
            here = splits[row : row + len(table)]
            for split, file in files.items():
                is_chosen = here == SPLITS.index(split)
                chosen = table if is_chosen.all() else table.filter(pa.array(is_chosen))
                file.write_table(chosen)
                counts[split]["reviews"] += len(chosen)
                counts[split]["tokens"] += len(chosen["token_ids"].combine_chunks().flatten())
            row += len(table)
    return counts


def _encoded(reviews: Path, chunks: Path, union_rows: np.ndarray, chunk_ids: Path) -> Iterator[pa.Table]:
    """The shard's reviews with their token ids, some 16 MiB of text at a time."""
    with map_arrow(chunk_ids) as (union,), map_arrow(chunks) as batches:
        ids, first = numpy(union["ids"].values), numpy(union["ids"].offsets)
        starts, lengths = first[union_rows], first[union_rows + 1] - first[union_rows]
        for table, batch in zip(row_groups(reviews), batches, strict=False):
            chunk, chunks_before = (
                checked_indices(batch["chunks"].values, len(union_rows)),
                numpy(batch["chunks"].offsets),
            )
            length = lengths[chunk]
            token_ids = pa.array(ids[ranges(starts[chunk], length)])
            offsets = pa.array(bounds(length)[chunks_before].astype(np.int32))
            column = pa.ListArray.from_arrays(offsets, token_ids, TOKEN_IDS)
            yield pa.table([*table.slice(0, len(column)).columns, column], ENCODED)
