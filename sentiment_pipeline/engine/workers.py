"""The worker processes that perform steps, for the command line and the flows alike.

Processes, because NLTK holds the GIL; spawned, because Polars does not survive a fork.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.step import Step, no_progress, perform
from sentiment_pipeline.errors import PipelineError

__all__ = ["WorkerLostError", "WorkerPool", "available_cores"]

Log = Callable[[str], None]
Result = TypeVar("Result")

_SPAWN = multiprocessing.get_context("spawn")


class WorkerLostError(PipelineError):
    """A worker process was killed; the step may be tried again."""

    def __init__(self) -> None:
        super().__init__(
            "a worker process was killed, probably because the machine ran out of memory; run again to "
            "continue, with a lower execution.workers if it happens again"
        )


class WorkerPool:
    """Worker processes, started when the first step is submitted; may be used from several threads.

    A killed worker breaks the whole pool of `concurrent.futures`; the next step starts a new one.

    Args:
        workers: how many processes; 0 is one for each core.
        log: gets each line that the workers print; default: they share this process's output.
    """

    def __init__(self, workers: int = 0, log: Log | None = None) -> None:
        self.workers = workers or available_cores()
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._closed = False
        self._output: connection.Connection | None = None
        if log is not None:
            reader, self._output = _SPAWN.Pipe(duplex=False)
            threading.Thread(target=_copy_lines, args=(reader, log), daemon=True).start()

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def submit(self, function: Callable[..., Result], *arguments: Any) -> "Future[Result]":
        """Have a worker call a module-level function; all are picklable.

        Raises:
            PipelineError: the pool is closed.
        """
        with self._lock:
            if self._closed:
                raise PipelineError("not begun: the run has ended")
            try:
                return self._start(function, *arguments)
            except BrokenProcessPool:
                self._pool = None
                return self._start(function, *arguments)

    def result(self, future: "Future[Result]") -> Result:
        """Wait for what was submitted.

        Raises:
            WorkerLostError: its process was killed.
            PipelineError: the work failed, or the pool was closed.
        """
        try:
            return future.result()
        except (BrokenProcessPool, CancelledError) as error:
            with self._lock:
                if self._closed:
                    raise PipelineError("interrupted: the run has ended") from error
            raise WorkerLostError from error

    def perform(self, step: Step, data_dir: Path) -> Manifest:
        """Have a worker perform the step, and wait for it; as `submit` and `result`."""
        return self.result(self.submit(perform, step, data_dir, no_progress))

    def close(self) -> None:
        """End the workers at once; the steps they were at are not finished and will be redone."""
        with self._lock:
            self._closed = True
            if self._pool is not None:
                processes = list((self._pool._processes or {}).values())
                self._pool.shutdown(wait=False, cancel_futures=True)
                for process in processes:
                    process.terminate()
                    process.join()
                self._pool = None
            if self._output is not None:
                self._output.close()

    def _start(self, function: Callable[..., Result], *arguments: Any) -> "Future[Result]":
        """Submit to the pool of processes, which is started if there is none.

        glibc asks for huge pages in them, which saves 3 % of preparing: arrays come and go all the time, and each of
        their pages costs a fault. It reads that as a process starts, so none can set it for itself.
        """
        if self._pool is None:
            os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
            self._pool = ProcessPoolExecutor(self.workers, _SPAWN, partial(_start_worker, self._output))
        with _main_hidden():
            return self._pool.submit(function, *arguments)


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Spawn processes that do not import the main module, which they never need.

    So a script of the user's needs no `if __name__ == "__main__"`, and a worker of a flow does not import Prefect.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _start_worker(output: connection.Connection | None) -> None:
    """Prepare a worker: one thread of Polars each, its output to `output`, and no life beyond that of its parent."""
    if output is not None:
        for descriptor in (1, 2):
            os.dup2(output.fileno(), descriptor)
    os.environ["POLARS_MAX_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed run must not leave workers that go on writing beside the next run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _copy_lines(output: connection.Connection, log: Log) -> None:
    """Log each line that comes out of the pipe, until all that could write to it have ended."""
    with os.fdopen(os.dup(output.fileno()), encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if text := line.rstrip():
                log(text)
