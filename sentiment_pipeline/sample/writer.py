"""The sample's files: blocks of reviews, compressed in several processes, one after the other in the file.

Each block is a bz2 stream of its own, as parallel compressors such as pbzip2 write them. What is in a stream does not
depend on who makes it, so the bytes are the same for any number of processes.
"""

import bz2
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path

from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.workers import WorkerPool
from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.sample.reviews import BLOCK, block

_FEWEST = 10  # reviews, so that the test file is not empty


def write_sample(
    folder: Path,
    reviews: int,
    seed: int,
    on_progress: Callable[[Mapping[str, int]], None] = lambda figures: None,
    workers: int = 0,
) -> None:
    """Write synthetic reviews, nine tenths to `train.ft.txt.bz2` and the rest to `test.ft.txt.bz2` in `folder`.

    Needs the same memory for any number of reviews.

    Args:
        on_progress: called with the reviews written so far as `step`, of `steps`.
        workers: how many processes; 0 is one for each core.

    Raises:
        SettingsError: too few reviews, or a negative seed.
        PipelineError: a file cannot be written.
    """
    if reviews < _FEWEST or seed < 0:
        raise SettingsError(f"a sample has at least {_FEWEST} reviews and a seed from 0, not {reviews} and {seed}")
    border = reviews - reviews // 10
    written = 0
    with WorkerPool(workers) as pool:
        for name, span in (("train", range(border)), ("test", range(border, reviews))):
            with published(folder / f"{name}.ft.txt.bz2") as temporary, temporary.open("wb") as file:
                for count, stream in _streams(pool, seed, span):
                    file.write(stream)
                    written += count
                    on_progress({"step": written, "steps": reviews})


def _streams(pool: WorkerPool, seed: int, span: range) -> Iterator[tuple[int, bytes]]:
    """The compressed blocks of the reviews in `span`, in order, each with its number of reviews."""
    pending: deque[Future[tuple[int, bytes]]] = deque()
    for number in range(span.start // BLOCK, -(-span.stop // BLOCK)):
        first = number * BLOCK
        pending.append(
            pool.submit(_compressed_block, seed, number, max(span.start - first, 0), min(span.stop - first, BLOCK))
        )
        if len(pending) > 2 * pool.workers:
            yield pool.result(pending.popleft())
    while pending:
        yield pool.result(pending.popleft())


def _compressed_block(seed: int, number: int, start: int, stop: int) -> tuple[int, bytes]:
    """The reviews from `start` to before `stop` of a block: how many, and a bz2 stream of them."""
    lines = block(seed, number)[start:stop]
    return len(lines), bz2.compress(b"".join(lines))
