"""Run independent steps over the cores of this machine, in worker processes or threads.

A step that is alone in its list (training, the vocabulary) runs in the calling thread, where it has all the cores,
can be interrupted, and can report progress.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol

from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.step import ProgressCallback, Step, no_progress, perform
from sentiment_pipeline.engine.workers import WorkerPool, available_cores

__all__ = ["Executor", "ProcessExecutor", "ThreadExecutor", "executor_for"]


class Executor(AbstractContextManager["Executor"], Protocol):
    """An `Execute` that holds workers for as long as its context lasts."""

    def __call__(self, steps: Sequence[Step], data_dir: Path, on_progress: ProgressCallback) -> Iterator[Manifest]:
        """Perform the steps; yield each manifest as its step ends, in any order.

        The first failure cancels the steps that have not begun and is raised when the running ones have ended.
        """
        ...


class ProcessExecutor(Executor):
    """Performs lists of steps in worker processes.

    Args:
        workers: how many processes; 0 is one for each core; 1 performs all steps in this process.
    """

    def __init__(self, workers: int = 0) -> None:
        self._pool = WorkerPool(workers)

    def __exit__(self, *exception: object) -> None:
        self._pool.close()

    def __call__(self, steps: Sequence[Step], data_dir: Path, on_progress: ProgressCallback) -> Iterator[Manifest]:
        if len(steps) == 1 or self._pool.workers == 1:
            for step in steps:
                yield perform(step, data_dir, on_progress)
            return
        futures = [self._pool.submit(perform, step, data_dir, no_progress) for step in steps]
        try:
            for future in as_completed(futures):
                yield self._pool.result(future)
        finally:
            _cancel(futures)


class ThreadExecutor(Executor):
    """Performs lists of steps in threads, for machines where processes cannot share memory.

    Args:
        workers: how many threads; 0 is one for each core.
    """

    def __init__(self, workers: int = 0) -> None:
        self._threads = ThreadPoolExecutor(workers or available_cores())

    def __exit__(self, *exception: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def __call__(self, steps: Sequence[Step], data_dir: Path, on_progress: ProgressCallback) -> Iterator[Manifest]:
        if len(steps) == 1:
            yield perform(steps[0], data_dir, on_progress)
            return
        futures = [self._threads.submit(perform, step, data_dir, no_progress) for step in steps]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            _cancel(futures)


def executor_for(runner: Literal["threads", "processes"], workers: int) -> Executor:
    """The executor that `execution.runner` and `execution.workers` mean."""
    return ThreadExecutor(workers) if runner == "threads" else ProcessExecutor(workers)


def _cancel(futures: Sequence["Future[Manifest]"]) -> None:
    for future in futures:
        future.cancel()
