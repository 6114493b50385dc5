"""Write the files of a sample: blocks of reviews, compressed in several processes.

Each block is a bzip2 stream of its own, as parallel compressors such as pbzip2 write them. A stream depends only on the
seed and its position, so the bytes of the files are the same for any number of processes.
"""

import bz2
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.step import no_progress
from sentiment_pipeline.engine.workers import WorkerPool
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.sample.reviews import BLOCK_REVIEWS, make_block

__all__ = ["write_sample"]

_MIN_REVIEWS = 10  # so that the test file is not empty


def write_sample(
    folder: Path,
    reviews: int,
    seed: int,
    on_progress: Callable[[Mapping[str, int]], None] = no_progress,
    workers: int = 0,
) -> None:
    """Write synthetic reviews to `folder`: nine tenths to `train.ft.txt.bz2`, the rest to `test.ft.txt.bz2`.

    Takes the same memory for any number of reviews.

    Args:
        reviews: in both files together, at least 10.
        seed: at least 0; the same seed gives the same reviews.
        on_progress: receives the number of reviews written so far as `step`, of `steps`.
        workers: number of processes; 0: one for each core.

    Raises:
        SettingsError: too few reviews, or a negative seed.
        PipelineError: a file exists already, which may be a real one, or cannot be written.
    """
    if reviews < _MIN_REVIEWS or seed < 0:
        raise SettingsError(f"a sample has at least {_MIN_REVIEWS} reviews and a seed from 0, not {reviews} and {seed}")
    test_start = reviews - reviews // 10
    rows = {"train": range(test_start), "test": range(test_start, reviews)}
    paths = {source: folder / layout.input_file(source) for source in layout.SOURCES}
    if existing := [path for path in paths.values() if path.exists()]:
        raise PipelineError(f"{existing[0]} exists; delete it, or choose another folder for the sample")
    done = 0
    with (
        WorkerPool(workers) as pool,
        ExitStack() as both,
    ):  # published together, or an interrupted sample would be refused
        temporaries = {source: both.enter_context(published(path)) for source, path in paths.items()}
        for source, temporary in temporaries.items():
            with temporary.open("wb") as file:
                for count, stream in _streams(pool, seed, rows[source]):
                    file.write(stream)
                    done += count
                    on_progress({"step": done, "steps": reviews})


def _streams(pool: WorkerPool, seed: int, rows: range) -> Iterator[tuple[int, bytes]]:
    """The compressed blocks of the reviews `rows`, in order, each with its number of reviews."""
    pending: deque[Future[tuple[int, bytes]]] = deque()
    for index in range(rows.start // BLOCK_REVIEWS, -(-rows.stop // BLOCK_REVIEWS)):
        first = index * BLOCK_REVIEWS
        start, stop = max(rows.start - first, 0), min(rows.stop - first, BLOCK_REVIEWS)
        pending.append(pool.submit(_compressed_block, seed, index, start, stop))
        if len(pending) > 2 * pool.workers:
            yield pool.result(pending.popleft())
    while pending:
        yield pool.result(pending.popleft())


def _compressed_block(seed: int, index: int, start: int, stop: int) -> tuple[int, bytes]:
    """The number of reviews in `[start, stop)` of a block, and a bzip2 stream of them."""
    lines = make_block(seed, index)[start:stop]
    return len(lines), bz2.compress(b"".join(lines))
