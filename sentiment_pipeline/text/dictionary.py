"""The distinct chunks of each shard, and those of all shards merged and tokenized in parts.

Each shard has a dictionary of its own, so that no shard waits for another. It is sorted by a hash of the chunk. A part
of the merged dictionary is a range of hashes: it takes one slice of every shard's dictionary, tokenizes each distinct
chunk of these slices once, and records for every row of every slice which distinct chunk it is. The parts are
independent too, and everything after them only looks up numbers.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_pipeline.text.chunks import Chunks, split_chunks
from sentiment_pipeline.text.ragged import list_array, offsets_of
from sentiment_pipeline.text.split import text_hashes
from sentiment_pipeline.text.tables import checked_indices, contiguous, map_arrow, row_groups, to_numpy, write_arrow
from sentiment_pipeline.text.word_shapes import tokenize_chunks

__all__ = ["MergedDictionary", "write_merged", "write_shard"]

_HASHES = 1 << 32


def write_shard(reviews: Path, count: int, chunks: Path, dictionary: Path) -> dict[str, int]:
    """Split the first `count` reviews of a shard into chunks, and number the distinct ones.

    Args:
        reviews: Parquet file with the column `text`.
        count: number of reviews, the first ones of the file.
        chunks: gets `chunks`, the list of codes of each review (int32), and the `hash` of its text (uint64), by which
            its split is drawn; a batch for each row group of `reviews`.
        dictionary: gets `chunk` (string) and its `hash` (uint32) for each code, by rising hash.

    Returns:
        The number of `chunks`, and of the `distinct` ones among them.

    Two reviews have six chunks, four of them distinct; a code is a row of the dictionary (`folder` is any folder):

    >>> import pyarrow.parquet as pq
    >>> pq.write_table(pa.table({"text": ["so good so far", "so bad"]}), folder / "reviews")
    >>> write_shard(folder / "reviews", 2, folder / "chunks", folder / "dictionary")
    {'chunks': 6, 'distinct': 4}
    >>> with map_arrow(folder / "chunks") as (codes,), map_arrow(folder / "dictionary") as (words,):
    ...     words["chunk"].to_pylist(), codes["chunks"].to_pylist()
    (['far ', 'so ', 'bad ', 'good '], [[1, 3, 1, 0], [1, 2]])
    """
    shard, text_hash, left = list[Chunks](), list[np.ndarray](), count
    for texts in _texts(reviews):
        shard.append(split_chunks(contiguous(texts.slice(0, left))))
        text_hash.append(text_hashes(texts.slice(0, left)))
        left -= len(text_hash[-1])
    distinct = pa.concat_arrays([each.codes.dictionary for each in shard]).dictionary_encode()
    hashes = np.fromiter(map(crc32, distinct.dictionary.cast(pa.binary()).to_pylist()), np.uint32)
    order = np.argsort(hashes, kind="stable")
    position = np.empty(len(order), np.int32)
    position[order] = np.arange(len(order))
    write_arrow(dictionary, [{"chunk": distinct.dictionary.take(pa.array(order)), "hash": pa.array(hashes[order])}])

    sizes = [len(each.codes.dictionary) for each in shard]
    codes = np.split(position[to_numpy(distinct.indices)], np.cumsum(sizes)[:-1])
    write_arrow(
        chunks,
        (
            {"chunks": list_array(each.counts, pa.array(code[to_numpy(each.codes.indices)])), "hash": pa.array(hashes)}
            for each, code, hashes in zip(shard, codes, text_hash, strict=True)
        ),
    )
    return {"chunks": sum(len(each.codes) for each in shard), "distinct": len(order)}


def _texts(reviews: Path) -> Iterator[pa.ChunkedArray]:
    """Yield the texts of each row group; none at all are one empty group."""
    if pq.read_metadata(reviews).num_row_groups == 0:
        yield pa.chunked_array([], pa.string())
    for table in row_groups(reviews, ["text"]):
        yield table["text"]


def write_merged(dictionaries: Sequence[Path], part: int, parts: int, tokens: Path, rows: Path) -> dict[str, int]:
    """Merge and tokenize the chunks of all shards whose hash is in the range of one part.

    Args:
        dictionaries: the dictionaries that `write_shard` wrote.
        part: index of the part.
        parts: number of parts; a chunk is in the part `hash * parts // 2**32`.
        tokens: gets `tokens`, the list of tokens of each distinct chunk of the part.
        rows: gets `row` (int32), a batch for each dictionary: which of these chunks each row of its slice is.

    Returns:
        The number of distinct `chunks` of the part.

    Raises:
        PipelineError: a dictionary is damaged.
    """
    with ExitStack() as stack:
        slices = [_slice_of_part(stack.enter_context(map_arrow(path))[0], part, parts) for path in dictionaries]
        merged = contiguous(pa.chunked_array(slices)).dictionary_encode()
    offsets = offsets_of(np.array([len(each) for each in slices]))
    write_arrow(rows, ({"row": merged.indices.slice(start, end - start)} for start, end in pairwise(offsets)))
    tokenized = tokenize_chunks(merged.dictionary)
    write_arrow(tokens, [{"tokens": list_array(tokenized.counts, tokenized.codes)}])
    return {"chunks": len(merged.dictionary)}


def _slice_of_part(dictionary: pa.RecordBatch, part: int, parts: int) -> pa.StringArray:
    """The chunks of a shard's dictionary whose hashes are in the part's range."""
    borders = [-(-_HASHES * border // parts) for border in (part, part + 1)]
    first, last = np.searchsorted(to_numpy(dictionary["hash"]), borders)
    return dictionary["chunk"].slice(first, last - first)


class MergedDictionary:
    """The merged dictionary of all shards, a sequence of distinct chunks: those of part 0, then those of part 1, ...

    Args:
        rows: the files `rows` of `write_merged`, in the order of the parts.
        chunks: the number of distinct chunks of each part.
    """

    def __init__(self, rows: Sequence[Path], chunks: Sequence[int]) -> None:
        self._rows = rows
        self._offsets = offsets_of(np.array(chunks))

    def __len__(self) -> int:
        return int(self._offsets[-1])

    def of_shard(self, shard: int) -> np.ndarray:
        """The index in the merged dictionary of each row of a shard's dictionary; int64, [rows].

        Args:
            shard: index of the shard in the dictionaries given to `write_merged`.

        Raises:
            PipelineError: a file is damaged.
        """
        found = []
        for path, (first, end) in zip(self._rows, pairwise(self._offsets), strict=True):
            with map_arrow(path) as batches:
                found.append(checked_indices(batches[shard]["row"], end - first) + first)
        return np.concatenate(found)
