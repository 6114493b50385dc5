"""Counts of the tokens in the training text, and the ids that follow from them.

Nothing is tokenized here. Each shard counts its chunks; the union says which chunks these are and what tokens they
have. Ties are broken by the first appearance in the training text: of a chunk it is the smallest position over the
shards, and reading the chunks' tokens in that order meets each token first where the text does.
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
from sentiment_pipeline.text.ragged import ranges
from sentiment_pipeline.text.tables import (
    VOCABULARY,
    checked_indices,
    contiguous,
    map_arrow,
    numpy,
    parquet_writer,
    write_arrow,
)

__all__ = ["SPECIAL", "write_counts", "write_vocabulary"]

_PAD, _UNK = "_PAD", "_UNK"  # no token looks like them: the texts are lower case
SPECIAL = (_PAD, _UNK)
_NEVER = np.iinfo(np.int64).max


def write_counts(chunks: Path, distinct: int, is_counted: np.ndarray, output: Path) -> dict[str, int]:
    """Count the chunks of a shard's reviews.

    Args:
        chunks: the file of the shard's lists of codes.
        distinct: how many codes there are.
        is_counted: bool, shape (reviews,): which reviews count.
        output: gets `count` (int64) of each code and the `position` (int64) among the shard's chunks at which it
            first counts, _NEVER if it does not.

    Returns:
        How many `chunks` the shard has, counted or not.
    """
    counts, position = np.zeros(distinct, np.int64), np.full(distinct, _NEVER)
    row = position_before = 0
    with map_arrow(chunks) as batches:
        for lists in (batch["chunks"] for batch in batches):
            codes, lengths = checked_indices(lists.values, distinct), np.diff(numpy(lists.offsets))
            counted = np.flatnonzero(np.repeat(is_counted[row : row + len(lists)], lengths))
            counts += np.bincount(codes[counted], minlength=distinct)
            here = np.full(distinct, _NEVER)
            here[codes[counted[::-1]]] = (
                position_before + counted[::-1]
            )  # what is assigned last stays: the first position
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
    """Write the vocabulary, and for each chunk of the union the list of its tokens' ids (int32) to `chunk_ids`.

    Args:
        tokens: the union's tokens, a file for each part.
        counts: the files of `write_counts`, of the first shards of the union.

    Returns:
        The `size` of the vocabulary, with the two special tokens.
    """
    with ThreadPoolExecutor(1) as thread:  # the step is alone and has two cores
        reading = thread.submit(_read_tokens, tokens)
        chunk_counts, chunk_order = _count_chunks(merged, counts)
        lists = reading.result()
    kept = _select(config, _count_tokens(lists, chunk_counts, chunk_order))
    id_of = np.full(len(lists.values.dictionary), SPECIAL.index(config.unknown), np.int32)
    id_of[kept["code"].to_numpy()] = np.arange(len(SPECIAL), len(SPECIAL) + len(kept))
    ids = pa.array(id_of[numpy(lists.values.indices)])
    write_arrow(chunk_ids, [{"ids": pa.ListArray.from_arrays(lists.offsets, ids)}])
    words = lists.values.dictionary.take(pa.array(kept["code"].to_numpy()))
    with parquet_writer(vocabulary, VOCABULARY) as file:
        file.write_table(
            pa.table(
                [
                    pa.concat_arrays([pa.array(SPECIAL), words]),
                    pa.concat_arrays([pa.array([0, 0]), pa.array(kept["count"].to_numpy())]),
                    pa.array(np.arange(len(SPECIAL) + len(kept), dtype=np.int32)),
                ],
                VOCABULARY,
            )
        )
    return {"size": len(SPECIAL) + len(kept)}


def _count_chunks(merged: MergedDictionary, counts: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """How often each chunk of the union counts, and those that do, by first appearance; int64."""
    total, first = np.zeros(len(merged), np.int64), np.full(len(merged), _NEVER)
    for shard, path in enumerate(counts):
        with map_arrow(path) as (batch,):
            counted = np.flatnonzero(numpy(batch["count"]))
            rows = merged.of_shard(shard)[counted]
            total[rows] += numpy(batch["count"])[counted]
            first[rows] = np.minimum(first[rows], (shard << 32) + numpy(batch["position"])[counted])
    seen = np.flatnonzero(total)
    return total, seen[np.argsort(first[seen])]


def _read_tokens(tokens: Sequence[Path]) -> pa.ListArray:
    """The tokens of each chunk of the union, as lists of codes of one dictionary."""
    with ExitStack() as stack:
        parts = [stack.enter_context(map_arrow(path))[0]["tokens"] for path in tokens]
        return contiguous(pa.chunked_array(parts).unify_dictionaries())


def _count_tokens(lists: pa.ListArray, chunk_counts: np.ndarray, chunk_order: np.ndarray) -> pl.DataFrame:
    """The `code`, `count` and `first` place of each token that counts; `first` only tells which comes first."""
    codes, starts = numpy(lists.values.indices), numpy(lists.offsets)[:-1]
    lengths = np.diff(numpy(lists.offsets))
    weights = np.repeat(chunk_counts, lengths)
    counts = np.bincount(codes, weights, minlength=len(lists.values.dictionary))  # exact below 2**53
    met = codes[ranges(starts[chunk_order], lengths[chunk_order])][::-1]
    first = np.full(len(counts), _NEVER)
    first[met] = np.arange(len(met))[::-1]  # the last value assigned to a token is its first place
    return pl.DataFrame({"code": np.arange(len(counts)), "count": counts.astype(np.int64), "first": first})


def _select(config: VocabularyConfig, tokens: pl.DataFrame) -> pl.DataFrame:
    """The tokens that get an id of their own, in the order of their ids."""
    kept = tokens.filter(pl.col("count") >= config.min_count).sort("count", "first", descending=[True, False])
    return kept.head(config.max_size) if config.max_size else kept
