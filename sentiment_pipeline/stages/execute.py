"""Run independent steps over the cores of this machine.

Processes, because NLTK holds the interpreter's lock; spawned, because Polars does not survive a fork. A step
that is alone in its list (training, the vocabulary) is run in the calling process instead, where it has all
the cores, can be interrupted, and can report as it goes.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.stages.step import Report, Step, perform
from sentiment_pipeline.storage.manifest import Manifest

SPAWN = multiprocessing.get_context("spawn")


class ProcessExecutor:
    """Performs lists of steps in a pool of worker processes that is started when it is first needed."""

    def __init__(self, workers: int = 0) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))
        self.pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "ProcessExecutor":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __call__(self, steps: Sequence[Step], data_dir: Path, report: Report) -> Iterator[Manifest]:
        """Perform the steps; yield each manifest as its step ends, in any order.

        The first failure cancels the steps that have not begun and is raised when the running ones have ended.
        """
        if len(steps) == 1 or self.workers == 1:
            for step in steps:
                yield perform(step, data_dir, report)
            return
        futures = [self.submit(step, data_dir) for step in steps]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            self.close()
            raise PipelineError("a worker process was killed, perhaps for want of memory; run again to go on, "
                                "with a lower execution.workers if it happens again") from error
        finally:
            for future in futures:
                future.cancel()

    def submit(self, step: Step, data_dir: Path) -> "Future[Manifest]":
        if self.pool is None:
            self.pool = worker_pool(self.workers)
        return self.pool.submit(perform, step, data_dir, silent)

    def close(self) -> None:
        """End the workers at once; what they were at is not finished and will be redone."""
        if self.pool is not None:
            workers = list((self.pool._processes or {}).values())
            self.pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.terminate()
                worker.join()
            self.pool = None


def worker_pool(workers: int, start: Callable[[], object] | None = None) -> ProcessPoolExecutor:
    """Processes that perform steps; `start`, by default `start_worker`, is called in each.

    glibc asks for huge pages in them, which saves 3 % of the prepare half: arrays come and go all the time, and each of
    their pages costs a fault. It reads that as a process starts, so none can set it for itself.
    """
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
    return ProcessPoolExecutor(workers, SPAWN, start or start_worker)


def start_worker() -> None:
    """Prepare a worker: one thread of Polars each, and no life beyond that of the process that started it."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """A killed run must not leave workers that go on writing beside the next run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def silent(values: object) -> None:
    """Worker processes report through their manifests alone."""
