"""Run independent steps in parallel on this machine, in worker processes or threads.

A step that is alone in its list (training, the vocabulary) runs in the calling thread: there it can use all cores, be
interrupted, and report progress.
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
        """Perform independent steps; yield each manifest as its step ends, in any order.

        The first failure is raised as soon as it happens; the steps that have not begun are cancelled when the context
        ends, not before: the pool of `concurrent.futures` prints a traceback if it breaks while others cancel its work.

        Args:
            on_progress: receives the figures of steps that run in this thread.

        Raises:
            PipelineError: a step failed.
        """
        ...


class ProcessExecutor(Executor):
    """Performs steps in worker processes. At the end of its context, processes that still work are terminated.

    Args:
        workers: number of processes; 0: one for each core; 1: perform all steps in the calling thread.
    """

    def __init__(self, workers: int = 0) -> None:
        self._pool = WorkerPool(workers)

    def __exit__(self, *exception: object) -> None:
        self._pool.close()

    def __call__(self, steps: Sequence[Step], data_dir: Path, on_progress: ProgressCallback) -> Iterator[Manifest]:
        if len(steps) == 1 or self._pool.workers == 1:
            return (perform(step, data_dir, on_progress) for step in steps)
        futures = [self._pool.submit(perform, step, data_dir, no_progress) for step in steps]
        return map(self._pool.result, as_completed(futures))


class ThreadExecutor(Executor):
    """Performs steps in threads of this process. At the end of its context, steps that have begun are waited for.

    Args:
        workers: number of threads; 0: one for each core.
    """

    def __init__(self, workers: int = 0) -> None:
        self._threads = ThreadPoolExecutor(workers or available_cores())

    def __exit__(self, *exception: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def __call__(self, steps: Sequence[Step], data_dir: Path, on_progress: ProgressCallback) -> Iterator[Manifest]:
        if len(steps) == 1:
            return (perform(step, data_dir, on_progress) for step in steps)
        futures = [self._threads.submit(perform, step, data_dir, no_progress) for step in steps]
        return map(Future.result, as_completed(futures))


def executor_for(runner: Literal["threads", "processes"], workers: int) -> Executor:
    """The executor for the settings `execution.runner` and `execution.workers`."""
    return ThreadExecutor(workers) if runner == "threads" else ProcessExecutor(workers)
