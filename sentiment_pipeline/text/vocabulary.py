"""Counts of the tokens in the training text, and the ids that follow from them.

Nothing is tokenized here. Each shard counts its chunks, and the merged dictionary has the tokens of each chunk; so the
count of a token is the sum of the counts of its chunks. Ties are broken by the first appearance in the training text.
For a chunk that is the first position over all shards. The tokens of the chunks, read in this order, appear for the
first time in the same order as in the text.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from sentiment_pipeline.text.config import VocabularyConfig
from sentiment_pipeline.text.dictionary import MergedDictionary
from sentiment_pipeline.text.ragged import concat_ranges
from sentiment_pipeline.text.split import TRAIN, Splits
from sentiment_pipeline.text.tables import (
    VOCABULARY,
    checked_indices,
    contiguous,
    map_arrow,
    parquet_writer,
    to_numpy,
    write_arrow,
)

__all__ = ["SPECIAL_TOKENS", "write_counts", "write_vocabulary"]

SPECIAL_TOKENS = ("_PAD", "_UNK")  # no other token looks like them, because texts are lower case
_NEVER = np.iinfo(np.int64).max  # the first position of a chunk or token that does not occur


def write_counts(chunks: Path, distinct: int, splits: Splits, output: Path) -> dict[str, int]:
    """Count the chunks in those reviews of a shard that train.

    Args:
        chunks: the lists of codes of `write_shard`.
        distinct: number of codes.
        splits: gives the splits of consecutive reviews, as `SplitRule.of`.
        output: gets, for each code, its `count` (int64) and its first `position` among the shard's chunks (int64), the
            largest int64 if the count is 0.

    Returns:
        The number of `chunks` in all reviews of the shard.

    Raises:
        PipelineError: the file of chunks is damaged.
    """
    counts, position = np.zeros(distinct, np.int64), np.full(distinct, _NEVER)
    row = position_before = 0
    with map_arrow(chunks) as batches:
        for batch in batches:
            lists, is_counted = batch["chunks"], splits(to_numpy(batch["hash"]), row) == TRAIN
            codes, lengths = checked_indices(lists.values, distinct), np.diff(to_numpy(lists.offsets))
            counted = np.flatnonzero(np.repeat(is_counted, lengths))
            counts += np.bincount(codes[counted], minlength=distinct)
            here = np.full(distinct, _NEVER)
            backwards = counted[::-1]  # of several values assigned to a code the last stays, so this is its first one
            here[codes[backwards]] = position_before + backwards
            np.minimum(position, here, out=position)
            row, position_before = row + len(lists), position_before + len(codes)
    write_arrow(output, [{"count": pa.array(counts), "position": pa.array(position)}])
    return {"chunks": position_before}


def write_vocabulary(
    config: VocabularyConfig,
    merged: MergedDictionary,
    tokens: Sequence[Path],
    counts: Sequence[Path],
    vocabulary: Path,
    chunk_ids: Path,
) -> dict[str, int]:
    """Write the vocabulary, and the token ids of each chunk of the merged dictionary.

    Args:
        config: which tokens get an id.
        merged: the merged dictionary.
        tokens: the files `tokens` of `write_merged`, in the order of the parts.
        counts: the files of `write_counts`, for the first shards of the merged dictionary, in order.
        vocabulary: gets a row for each id: `token`, `count` and `id`, by falling count, equal counts by first
            appearance.
        chunk_ids: gets `ids`, the list of token ids (int32) of each chunk of the merged dictionary.

    Returns:
        The `size` of the vocabulary, including the two special tokens.

    Raises:
        PipelineError: a file is damaged.
    """
    with ThreadPoolExecutor(1) as thread:  # this step runs alone, and has two cores
        reading = thread.submit(_read_tokens, tokens)
        chunk_counts, chunk_order = _count_chunks(merged, counts)
        lists = reading.result()
    kept = _select(config, _count_tokens(lists, chunk_counts, chunk_order))
    id_of = np.full(len(lists.values.dictionary), SPECIAL_TOKENS.index(config.unknown), np.int32)
    id_of[kept["code"].to_numpy()] = np.arange(len(SPECIAL_TOKENS), len(SPECIAL_TOKENS) + len(kept))
    ids = pa.array(id_of[to_numpy(lists.values.indices)])
    write_arrow(chunk_ids, [{"ids": pa.ListArray.from_arrays(lists.offsets, ids)}])
    words = lists.values.dictionary.take(pa.array(kept["code"].to_numpy()))
    with parquet_writer(vocabulary, VOCABULARY) as file:
        file.write_table(
            pa.table(
                [
                    pa.concat_arrays([pa.array(SPECIAL_TOKENS), words]),
                    pa.concat_arrays([pa.array([0, 0]), pa.array(kept["count"].to_numpy())]),
                    pa.array(np.arange(len(SPECIAL_TOKENS) + len(kept), dtype=np.int32)),
                ],
                VOCABULARY,
            )
        )
    return {"size": len(SPECIAL_TOKENS) + len(kept)}


def _count_chunks(merged: MergedDictionary, counts: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """The count of each chunk of the merged dictionary, and the chunks that occur, by first appearance; int64."""
    total, first = np.zeros(len(merged), np.int64), np.full(len(merged), _NEVER)
    for shard, path in enumerate(counts):
        with map_arrow(path) as (batch,):
            counted = np.flatnonzero(to_numpy(batch["count"]))
            rows = merged.of_shard(shard)[counted]
            total[rows] += to_numpy(batch["count"])[counted]
            first[rows] = np.minimum(first[rows], (shard << 32) + to_numpy(batch["position"])[counted])
    seen = np.flatnonzero(total)
    return total, seen[np.argsort(first[seen])]


def _read_tokens(tokens: Sequence[Path]) -> pa.ListArray:
    """The tokens of each chunk of the merged dictionary, as lists of codes of one Arrow dictionary."""
    with ExitStack() as stack:
        parts = [stack.enter_context(map_arrow(path))[0]["tokens"] for path in tokens]
        return contiguous(pa.chunked_array(parts).unify_dictionaries())


def _count_tokens(lists: pa.ListArray, chunk_counts: np.ndarray, chunk_order: np.ndarray) -> pl.DataFrame:
    """The `code` and `count` of each token, and `first`, by which tokens are in the order of first appearance."""
    codes, starts = to_numpy(lists.values.indices), to_numpy(lists.offsets)[:-1]
    lengths = np.diff(to_numpy(lists.offsets))
    weights = np.repeat(chunk_counts, lengths)
    counts = np.bincount(codes, weights, minlength=len(lists.values.dictionary))  # exact below 2**53
    backwards = codes[concat_ranges(starts[chunk_order], lengths[chunk_order])][::-1]
    first = np.full(len(counts), _NEVER)
    first[backwards] = np.arange(len(backwards))[::-1]  # the last value assigned to a token is its first position
    return pl.DataFrame({"code": np.arange(len(counts)), "count": counts.astype(np.int64), "first": first})


def _select(config: VocabularyConfig, tokens: pl.DataFrame) -> pl.DataFrame:
    """The tokens that get an id of their own, in the order of their ids."""
    kept = tokens.filter(pl.col("count") >= config.min_count).sort("count", "first", descending=[True, False])
    return kept.head(config.max_size) if config.max_size else kept
