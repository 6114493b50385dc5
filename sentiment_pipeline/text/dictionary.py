"""The distinct chunks of each shard, and their union over all shards, tokenized in parts.

Each shard has a dictionary of its own, so that no shard waits for another, sorted by a hash of the chunk that is the
same everywhere. A part of the union is a range of hashes: it takes one slice of every dictionary, tokenizes each
distinct chunk of them once, and says for every row of every slice which distinct chunk it is. The parts are
independent too, and everything after them is a matter of looking up numbers.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa

from sentiment_pipeline.text.chunks import Chunks, split_chunks
from sentiment_pipeline.text.ragged import bounds, list_array
from sentiment_pipeline.text.tables import checked_indices, contiguous, map_arrow, numpy, row_groups, write_arrow
from sentiment_pipeline.text.word_shapes import tokenize_chunks

__all__ = ["MergedDictionary", "write_merged", "write_shard"]

_HASHES = 1 << 32


def write_shard(reviews: Path, count: int, chunks: Path, dictionary: Path) -> dict[str, int]:
    """Cut the first `count` reviews of a table into chunks.

    Writes to `chunks` a list of codes for each review, a batch for each row group of the table, and to `dictionary`
    the `chunk` of each code and its `hash` (uint32), by rising hash.

    Returns:
        How many `chunks` and `distinct` chunks there are.
    """
    shard, left = list[Chunks](), count
    for table in row_groups(reviews, ["text"]):
        shard.append(split_chunks(contiguous(table["text"].slice(0, left))))
        left -= len(shard[-1].counts)
    shard = shard or [split_chunks(pa.array([], pa.string()))]
    merged = pa.concat_arrays([each.codes.dictionary for each in shard]).dictionary_encode()
    hashes = np.fromiter(map(crc32, merged.dictionary.cast(pa.binary()).to_pylist()), np.uint32)
    order = np.argsort(hashes, kind="stable")
    position = np.empty(len(order), np.int32)
    position[order] = np.arange(len(order))
    write_arrow(dictionary, [{"chunk": merged.dictionary.take(pa.array(order)), "hash": pa.array(hashes[order])}])

    codes = np.split(position[numpy(merged.indices)], np.cumsum([len(each.codes.dictionary) for each in shard])[:-1])
    write_arrow(
        chunks,
        (
            {"chunks": list_array(each.counts, pa.array(code[numpy(each.codes.indices)]))}
            for each, code in zip(shard, codes, strict=True)
        ),
    )
    return {"chunks": sum(len(each.codes) for each in shard), "distinct": len(order)}


def write_merged(dictionaries: Sequence[Path], part: int, parts: int, tokens: Path, rows: Path) -> dict[str, int]:
    """Tokenize one part of the union of the shards' dictionaries.

    Writes to `tokens` the list of tokens of each distinct chunk of the part, and to `rows`, a batch for each
    dictionary, which of these chunks (`row`, int32) each row of its slice is.

    Returns:
        How many distinct `chunks` the part has.
    """
    with ExitStack() as stack:
        slices = [_slice_of_part(stack.enter_context(map_arrow(path))[0], part, parts) for path in dictionaries]
        merged = contiguous(pa.chunked_array(slices)).dictionary_encode()
    starts = bounds(np.array([len(each) for each in slices]))
    write_arrow(rows, ({"row": merged.indices.slice(start, end - start)} for start, end in pairwise(starts)))
    tokenized = tokenize_chunks(merged.dictionary)
    write_arrow(tokens, [{"tokens": list_array(tokenized.counts, tokenized.codes)}])
    return {"chunks": len(merged.dictionary)}


def _slice_of_part(dictionary: pa.RecordBatch, part: int, parts: int) -> pa.StringArray:
    """The chunks of a shard's dictionary whose hashes are in the part's range."""
    borders = [-(-_HASHES * border // parts) for border in (part, part + 1)]
    first, last = np.searchsorted(numpy(dictionary["hash"]), borders)
    return dictionary["chunk"].slice(first, last - first)


class MergedDictionary:
    """The parts of the union as one sequence of distinct chunks, those of part 0 first.

    Args:
        rows: the files of `write_merged`, in order.
        chunks: how many distinct chunks each part has.
    """

    def __init__(self, rows: Sequence[Path], chunks: Sequence[int]) -> None:
        self.rows = rows
        self.first = bounds(np.array(chunks))

    def __len__(self) -> int:
        return int(self.first[-1])

    def of_shard(self, shard: int) -> np.ndarray:
        """Which chunk of the union each row of a shard's dictionary is; int64."""
        found = []
        for path, (first, end) in zip(self.rows, pairwise(self.first), strict=True):
            with map_arrow(path) as batches:
                found.append(checked_indices(batches[shard]["row"], end - first) + first)
        return np.concatenate(found)
