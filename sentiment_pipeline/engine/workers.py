"""Worker processes, the same for the command line, the flows and the sample.

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

__all__ = ["WorkerLostError", "WorkerPool", "available_cores", "hidden_main"]

_Log = Callable[[str], None]
_Result = TypeVar("_Result")

_SPAWN = multiprocessing.get_context("spawn")
_MAIN_LOCK = threading.RLock()  # held while the main module is hidden


class WorkerLostError(PipelineError):
    """A worker process was killed; its work can be retried."""

    def __init__(self) -> None:
        super().__init__(
            "a worker process was killed, probably because the machine ran out of memory; run again to "
            "continue, with a lower execution.workers if it happens again"
        )


class WorkerPool:
    """A pool of worker processes, started by the first `submit`; thread-safe.

    A killed worker breaks the whole pool of `concurrent.futures`; then the next `submit` starts a new one.

    Args:
        workers: number of processes; 0: one for each core.
        log: called with each line that the workers print; default: they print to this process's output.
    """

    def __init__(self, workers: int = 0, log: _Log | None = None) -> None:
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

    def submit(self, function: Callable[..., _Result], *arguments: Any) -> "Future[_Result]":
        """Call a function in a worker.

        Args:
            function: a module-level function; it, the arguments and the result must be picklable.

        Raises:
            PipelineError: the pool is closed.
        """
        with self._lock:
            if self._closed:
                raise PipelineError("not started: the run has ended")
            try:
                return self._start(function, *arguments)
            except BrokenProcessPool:
                self._pool = None
                return self._start(function, *arguments)

    def result(self, future: "Future[_Result]") -> _Result:
        """Wait for the result of a call.

        Raises:
            WorkerLostError: a process of the pool was killed.
            PipelineError: the pool was closed meanwhile.
            Exception: whatever the function raised.
        """
        try:
            return future.result()
        except (BrokenProcessPool, CancelledError) as error:
            with self._lock:
                if self._closed:
                    raise PipelineError("interrupted: the run has ended") from error
            raise WorkerLostError from error

    def perform(self, step: Step, data_dir: Path) -> Manifest:
        """Perform a step in a worker and wait for it; raises as `submit` and `result`."""
        return self.result(self.submit(perform, step, data_dir, no_progress))

    def close(self) -> None:
        """Terminate the workers; steps that they had begun are not finished and will be redone."""
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

    def _start(self, function: Callable[..., _Result], *arguments: Any) -> "Future[_Result]":
        """Submit to the pool, starting it if there is none.

        Huge pages save 3 % of the time to prepare data, because arrays are allocated and freed all the time and each of
        their pages costs a page fault. glibc reads the variable when a process starts, so the parent has to set it.
        """
        if self._pool is None:
            os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
            self._pool = ProcessPoolExecutor(self.workers, _SPAWN, partial(_start_worker, self._output))
        with hidden_main():
            return self._pool.submit(function, *arguments)


def available_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def hidden_main() -> Iterator[None]:
    """Spawn processes in this block that do not import the main module and are deaf to Ctrl-C.

    Workers never need the main module. A user's script thus needs no `if __name__ == "__main__"`, and workers of a
    flow do not import Prefect. Ctrl-C reaches all processes of a terminal; one that is still importing would print a
    traceback, so SIGINT is blocked in them from their first instruction on. Their parent ends them.
    """
    with _MAIN_LOCK:  # another thread would save the substitute, and restore that
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            sys.modules["__main__"] = main


def _start_worker(output: connection.Connection | None) -> None:
    """Set up a worker process: Polars with one thread, output to `output` if given, an end when its parent ends."""
    if output is not None:
        for descriptor in (1, 2):
            os.dup2(output.fileno(), descriptor)
    os.environ["POLARS_MAX_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Exit when the parent process ends: a killed run must not leave workers that write while the next run does."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _copy_lines(output: connection.Connection, log: _Log) -> None:
    """Log each line from the pipe until every process that could write to it has ended."""
    with os.fdopen(os.dup(output.fileno()), encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if text := line.rstrip():
                log(text)
