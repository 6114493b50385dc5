"""The worker processes that shard tasks hand their steps to.

Prefect's own process runner starts its engine anew in each process, 100 ms a task. Here the task runs in a
thread of the flow, in 2 ms, and waits for a process of this pool to do the step.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import connection
from pathlib import Path

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.stages.execute import SPAWN, silent, start_worker, worker_pool
from sentiment_pipeline.stages.step import Step, perform
from sentiment_pipeline.storage.manifest import Manifest

Log = Callable[[str], None]


class WorkerLost(PipelineError):
    """A worker process was killed; the step may be tried again."""


class StepPool:
    """Processes that perform steps for many threads, and whose output goes to the log of the run.

    A killed worker breaks the whole pool of `concurrent.futures`; the next step starts a new one.
    """

    def __init__(self, workers: int, log: Log) -> None:
        self.workers = workers
        self.lock = threading.Lock()
        self.pool: ProcessPoolExecutor | None = None
        self.ended = False
        reader, self.output = SPAWN.Pipe(duplex=False)
        threading.Thread(target=copy_lines, args=(reader, log), daemon=True).start()

    def __enter__(self) -> "StepPool":
        return self

    def __exit__(self, *exception: object) -> None:
        """End the processes at once; what they were at is not finished and will be redone."""
        with self.lock:
            self.ended = True
            if self.pool is not None:
                end(self.pool)
            self.output.close()

    def perform(self, step: Step, data_dir: Path) -> Manifest:
        """Have a worker process perform the step, and wait for it.

        Raises:
            WorkerLost: the process was killed.
            PipelineError: the step failed, or the run has ended.
        """
        with self.lock:
            if self.ended:
                raise PipelineError("not begun: the run has ended")
            pool = self.pool or worker_pool(self.workers, partial(start_logged_worker, self.output))
            self.pool = pool
            future = pool.submit(perform, step, data_dir, silent)
        try:
            return future.result()
        except (BrokenProcessPool, CancelledError) as error:
            with self.lock:
                if self.ended:
                    raise PipelineError("interrupted: the run has ended") from error
                if self.pool is pool:
                    self.pool = None
            raise WorkerLost("a worker process was killed, perhaps for want of memory; run again to go on, "
                             "with a lower execution.workers if it happens again") from error


def start_logged_worker(output: connection.Connection) -> None:
    """Prepare a worker process whose standard output and error go to `output`."""
    for descriptor in (1, 2):
        os.dup2(output.fileno(), descriptor)
    start_worker()


def copy_lines(output: connection.Connection, log: Log) -> None:
    """Log each line that comes out of the pipe, until all that could write to it have ended."""
    with os.fdopen(os.dup(output.fileno()), encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if text := line.rstrip():
                log(text)


def end(pool: ProcessPoolExecutor) -> None:
    """Kill the pool's processes and wait for them."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
        process.join()
