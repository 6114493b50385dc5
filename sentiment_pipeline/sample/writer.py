"""The sample's files: blocks of reviews, compressed in several processes, one after the other in the file.

Each block is a bz2 stream of its own, as parallel compressors such as pbzip2 write them. What is in a stream does not
depend on who makes it, so the bytes are the same for any number of processes.
"""

import bz2
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.sample.reviews import BLOCK, block
from sentiment_pipeline.stages.execute import start_worker
from sentiment_pipeline.storage.files import published

FEWEST = 10  # reviews, so that the test file is not empty


def write_sample(folder: Path, reviews: int, seed: int,
                 report: Callable[[Mapping[str, int]], None] = lambda values: None, processes: int = 0) -> None:
    """Write synthetic reviews, nine tenths to `train.ft.txt.bz2` and the rest to `test.ft.txt.bz2` in `folder`.

    Needs the same memory for any number of reviews. `report` is told, as `step` of `steps`, how many are written.
    `processes` 0 is one for each core.

    Raises:
        SettingsError: too few reviews, or a negative seed.
        PipelineError: a file cannot be written.
    """
    if reviews < FEWEST or seed < 0:
        raise SettingsError(f"a sample has at least {FEWEST} reviews and a seed from 0, not {reviews} and {seed}")
    border = reviews - reviews // 10
    processes, written = processes or len(os.sched_getaffinity(0)), 0
    with ProcessPoolExecutor(processes, get_context("spawn"), start_worker) as pool:
        for name, span in (("train", range(border)), ("test", range(border, reviews))):
            with published(folder / f"{name}.ft.txt.bz2") as temporary, temporary.open("wb") as file:
                for count, stream in streams(pool, seed, span, ahead=2 * processes):
                    file.write(stream)
                    written += count
                    report({"step": written, "steps": reviews})


def streams(pool: ProcessPoolExecutor, seed: int, span: range, ahead: int) -> Iterator[tuple[int, bytes]]:
    """The compressed blocks of the reviews in `span`, in order, each with its number of reviews; makes `ahead` of them
    in advance.
    """
    pending: deque[Future[tuple[int, bytes]]] = deque()
    for number in range(span.start // BLOCK, -(-span.stop // BLOCK)):
        first = number * BLOCK
        pending.append(pool.submit(compressed, seed, number, max(span.start - first, 0), min(span.stop - first, BLOCK)))
        if len(pending) > ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def compressed(seed: int, number: int, start: int, stop: int) -> tuple[int, bytes]:
    """The reviews from `start` to before `stop` of a block: how many, and a bz2 stream of them."""
    lines = block(seed, number)[start:stop]
    return len(lines), bz2.compress(b"".join(lines))
