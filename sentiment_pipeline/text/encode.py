"""Reviews to token ids: the ids of each chunk of the shard's dictionary, looked up for each chunk of each review.

The ids of the dictionary come from one of two places. If the vocabulary was counted here, the merged dictionary has
them. If it was taken from elsewhere, the shard tokenizes its own dictionary, so that it depends on no other shard. The
ids are the same.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pipeline.layout import SPLITS
from sentiment_pipeline.text.ragged import concat_ranges, offsets_of
from sentiment_pipeline.text.split import Splits
from sentiment_pipeline.text.tables import (
    ENCODED,
    TOKEN_IDS,
    checked_indices,
    contiguous,
    map_arrow,
    parquet_writer,
    row_groups,
    to_numpy,
    vocabulary_tokens,
)
from sentiment_pipeline.text.vocabulary import SPECIAL_TOKENS
from sentiment_pipeline.text.word_shapes import tokenize_chunks

__all__ = ["ChunkIds", "ids_of_dictionary", "ids_of_merged", "write_encoded"]


@dataclass(frozen=True)
class ChunkIds:
    """The token ids of each chunk of a shard's dictionary: those of code c begin at `starts[c]`.

    Args:
        ids: the ids of all codes, one code after another; int32, [tokens].
        lengths: number of ids of each code; int32, [codes].

    Attributes:
        starts: where the ids of each code begin; int32, [codes].
    """

    ids: np.ndarray
    lengths: np.ndarray
    starts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", offsets_of(self.lengths)[:-1].astype(np.int32))


def ids_of_merged(merged_rows: np.ndarray, chunk_ids: Path) -> ChunkIds:
    """The ids of a shard's dictionary, from those of the merged one.

    Args:
        merged_rows: the row in the merged dictionary of each code (`MergedDictionary.of_shard`); int64, [codes].
        chunk_ids: the lists of ids of `write_vocabulary`, one for each row of the merged dictionary.

    Raises:
        PipelineError: the file is damaged.
    """
    with map_arrow(chunk_ids) as (merged,):
        ids, offsets = to_numpy(merged["ids"].values), to_numpy(merged["ids"].offsets)
        lengths = offsets[merged_rows + 1] - offsets[merged_rows]
        return ChunkIds(ids[concat_ranges(offsets[merged_rows], lengths)], lengths)


def ids_of_dictionary(dictionary: Path, vocabulary: Path, unknown: str) -> ChunkIds:
    """The ids of a shard's dictionary, by tokenizing it.

    Args:
        dictionary: as `write_shard` wrote it.
        vocabulary: the table of the vocabulary.
        unknown: the special token whose id other tokens get.

    Raises:
        PipelineError: the dictionary is damaged.
    """
    with map_arrow(dictionary) as (batch,):
        tokens = tokenize_chunks(contiguous(pa.chunked_array([batch["chunk"]])))
    found = pc.index_in(tokens.codes.dictionary, vocabulary_tokens(vocabulary))
    id_of = to_numpy(found.fill_null(SPECIAL_TOKENS.index(unknown)))
    return ChunkIds(id_of[to_numpy(tokens.codes.indices)], tokens.counts)


def write_encoded(
    reviews: Path, chunks: Path, chunk_ids: ChunkIds, splits: Splits, outputs: Mapping[str, Path]
) -> dict[str, dict[str, int]]:
    """Write the encoded reviews of a shard, those of each split to a Parquet file of its own, in their order.

    Args:
        reviews: the table of the shard's reviews.
        chunks: the lists of codes and the hashes of `write_shard`; may hold fewer reviews.
        chunk_ids: the ids of each code.
        splits: gives the splits of consecutive reviews, as `SplitRule.of`.
        outputs: a file for each split that may occur.

    Returns:
        The number of `reviews` and `tokens` by split.

    Raises:
        PipelineError: a file is damaged.
    """
    with ExitStack() as stack:
        files = {split: stack.enter_context(parquet_writer(path, ENCODED)) for split, path in outputs.items()}
        counts = {split: {"reviews": 0, "tokens": 0} for split in outputs}
        row = 0
        for table, hashes in _encoded(reviews, chunks, chunk_ids):
            here = splits(hashes, row)
            for split, file in files.items():
                is_chosen = here == SPLITS.index(split)
                chosen = table if is_chosen.all() else table.filter(pa.array(is_chosen))
                file.write_table(chosen)
                counts[split]["reviews"] += len(chosen)
                counts[split]["tokens"] += len(chosen["token_ids"].combine_chunks().flatten())
            row += len(table)
    return counts


def _encoded(reviews: Path, chunks: Path, chunk_ids: ChunkIds) -> Iterator[tuple[pa.Table, np.ndarray]]:
    """Yield the shard's reviews with their token ids, and their hashes, a row group at a time, some 16 MiB of text."""
    with map_arrow(chunks) as batches:
        for table, batch in zip(row_groups(reviews), batches, strict=False):
            codes = checked_indices(batch["chunks"].values, len(chunk_ids.starts))
            length = chunk_ids.lengths[codes]
            token_ids = pa.array(chunk_ids.ids[concat_ranges(chunk_ids.starts[codes], length)])
            first_chunks = to_numpy(batch["chunks"].offsets)
            first_tokens = pa.array(offsets_of(length)[first_chunks].astype(np.int32))
            column = pa.ListArray.from_arrays(first_tokens, token_ids, TOKEN_IDS)
            yield pa.table([*table.slice(0, len(column)).columns, column], ENCODED), to_numpy(batch["hash"])
