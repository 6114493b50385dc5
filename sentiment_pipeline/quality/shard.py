"""What the gate keeps of a shard: sketches in the order of their hashes, so that a range of them is found at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_pipeline.quality.sketch import BANDS, MINIMA, SHORTEST, sketch
from sentiment_pipeline.quality.words import SCRIPTS, ChunkWords, words_of_chunks
from sentiment_pipeline.text.ragged import list_array, offsets_of
from sentiment_pipeline.text.tables import checked_indices, contiguous, map_arrow, to_numpy, write_arrow

__all__ = ["LENGTH_BINS", "Outputs", "hash_range", "read_minima", "read_words", "words_of_reviews", "write_sketches"]

LENGTH_BINS = np.unique(np.round(2 ** (np.arange(0, 81) / 4)).astype(np.int64))  # of numbers of words: quarter octaves


class Outputs(NamedTuple):
    """The files of a shard.

    Attributes:
        exact: gets `hash` (uint64, rising), `row` (uint32) and `label` (int8) of each review.
        bands: gets `hash` (uint64, rising) and `row` (uint32) of each review in each band.
        minima: gets `minima` (fixed-size binary, of bytes) of each review.
        words: gets `words`, the list of hashes (uint32) of each chunk.
        counts: gets `word` (uint32, rising) and `count` (int64): how often each word occurs.
    """

    exact: Path
    bands: Path
    minima: Path
    words: Path
    counts: Path


def write_sketches(reviews: Path, chunks: Path, dictionary: Path, outputs: Outputs) -> dict[str, int | list[int]]:
    """Sketch the reviews of a shard.

    Args:
        reviews: the table of the shard's reviews.
        chunks: the lists of codes of tokenize; may hold fewer reviews.
        dictionary: the chunk of each code.
        outputs: the files to write.

    Returns:
        `lengths`: the number of reviews in each of `LENGTH_BINS`, by words, before them those without any; `scripts`:
        the number of words in each of `SCRIPTS`, and in others; `short`: the number of reviews of fewer than three.

    Raises:
        PipelineError: a file is damaged.
    """
    with map_arrow(dictionary) as (batch,):
        words = words_of_chunks(contiguous(pa.chunked_array([batch["chunk"]])))
    write_arrow(outputs.words, [{"words": list_array(words.lengths, pa.array(words.hashes))}])
    exact, bands, minima, lengths, counts = _sketch_all(chunks, words)
    labels = contiguous(pq.read_table(reviews, columns=["label"])["label"]).to_numpy()[: len(exact)]
    order = np.argsort(exact, kind="stable")
    _write_sorted(outputs.exact, exact[order], order, label=pa.array(labels[order]))
    rows = np.flatnonzero(lengths >= SHORTEST)
    hashes, rows = bands[:, rows].ravel(), np.tile(rows, BANDS)
    order = np.argsort(hashes, kind="stable")
    _write_sorted(outputs.bands, hashes[order], rows[order])
    of_reviews = pa.py_buffer(np.ascontiguousarray(minima.T))
    column = pa.FixedSizeBinaryArray.from_buffers(pa.binary(MINIMA), minima.shape[1], [None, of_reviews])
    write_arrow(outputs.minima, [{"minima": column}])
    distinct, positions = np.unique(words.hashes, return_inverse=True)
    of_word = np.bincount(positions, counts, minlength=len(distinct)).astype(np.int64)
    write_arrow(outputs.counts, [{"word": pa.array(distinct), "count": pa.array(of_word)}])
    return {
        "lengths": np.bincount(np.searchsorted(LENGTH_BINS, lengths, "right"), minlength=len(LENGTH_BINS) + 1).tolist(),
        "scripts": np.bincount(words.scripts, counts, minlength=len(SCRIPTS) + 1).astype(np.int64).tolist(),
        "short": int((lengths < 3).sum()),
    }


def _write_sorted(path: Path, hashes: np.ndarray, rows: np.ndarray, **more: pa.Array) -> None:
    write_arrow(path, [{"hash": pa.array(hashes), "row": pa.array(rows.astype(np.uint32)), **more}])


def _sketch_all(chunks: Path, words: ChunkWords) -> tuple[np.ndarray, ...]:
    """The sketches and numbers of words of all reviews, and how often each word of the dictionary occurs."""
    counts, found = np.zeros(len(words.hashes), np.int64), list[tuple[np.ndarray, ...]]()
    with map_arrow(chunks) as batches:
        for lists in (batch["chunks"] for batch in batches):
            codes = checked_indices(lists.values, len(words.lengths))
            positions, of_chunk = words.of_codes(codes)
            counts += np.bincount(positions, minlength=len(counts))
            lengths = np.diff(offsets_of(of_chunk)[to_numpy(lists.offsets)])
            found.append((*sketch(words.hashes[positions], lengths), lengths))
    return *(np.concatenate(each, axis=-1) for each in zip(*found, strict=True)), counts


def hash_range(paths: Sequence[Path], part: int, parts: int) -> list[pa.RecordBatch]:
    """The rows of each file whose hash is in one of `parts` equal ranges.

    Raises:
        PipelineError: a file is damaged.
    """
    borders = [-(-(1 << 64) * border // parts) for border in (part, part + 1)]
    found = []
    for path in paths:
        with map_arrow(path) as (batch,):
            hashes = to_numpy(batch["hash"])
            first, last = (
                len(hashes) if each >> 64 else int(np.searchsorted(hashes, np.uint64(each))) for each in borders
            )
            found.append(batch.take(pa.array(np.arange(first, last))))  # a copy: the file is unmapped here
    return found


def read_words(path: Path) -> ChunkWords:
    """The words of a shard's chunks, without scripts.

    Raises:
        PipelineError: the file is damaged.
    """
    with map_arrow(path) as (batch,):
        lists = batch["words"]
        lengths = np.diff(to_numpy(lists.offsets))
        starts = to_numpy(lists.offsets)[:-1].copy()
        return ChunkWords(to_numpy(lists.values).copy(), lengths, starts, np.empty(0, np.uint8))


def read_minima(path: Path, rows: np.ndarray) -> np.ndarray:
    """The minima of some reviews of a shard; uint8, [rows, MINIMA].

    Raises:
        PipelineError: the file is damaged.
    """
    with map_arrow(path) as (batch,):
        found = batch["minima"].take(pa.array(rows))
        return np.frombuffer(found.buffers()[1], np.uint8)[: len(rows) * MINIMA].reshape(-1, MINIMA)


def words_of_reviews(chunks: Path, words: ChunkWords, rows: np.ndarray) -> list[np.ndarray]:
    """The hashes of the words of some reviews of a shard.

    Args:
        chunks: the lists of codes of tokenize.
        words: those of the shard's chunks.
        rows: the indices of the reviews; integers, [rows].

    Raises:
        PipelineError: a file is damaged.
    """
    with map_arrow(chunks) as batches:
        column = pa.chunked_array([batch["chunks"] for batch in batches])
        lists = contiguous(column.take(pa.array(rows)))
        codes = checked_indices(lists.flatten(), len(words.lengths))
        positions, of_chunk = words.of_codes(codes)
        bounds = offsets_of(of_chunk)[offsets_of(np.diff(to_numpy(lists.offsets)))]
        return np.split(words.hashes[positions], bounds[1:-1])
