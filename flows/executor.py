"""Perform the steps of a stage as task runs: in worker processes, threads, or on a Dask cluster.

A step that is alone in its list (training, the vocabulary) runs in the flow's main thread, where a cancel interrupts
it.
"""

import queue
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from prefect import get_run_logger
from prefect.futures import PrefectFuture
from prefect.states import State
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.task_runs import Perform, perform_step
from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.stage import Execute
from sentiment_pipeline.engine.step import ProgressCallback, Step, no_progress, perform
from sentiment_pipeline.engine.workers import WorkerPool, available_cores
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.settings import ExecutionConfig

__all__ = ["executor_for"]

_SCHEDULER_TIMEOUT = 10  # seconds


@contextmanager
def executor_for(execution: ExecutionConfig) -> Iterator[Execute]:
    """An `Execute` that performs steps as task runs, on the runner that the settings name.

    Raises:
        PipelineError: no Dask scheduler answers, or prefect-dask is not installed.
    """
    workers = execution.workers or available_cores()
    threads: ThreadPoolTaskRunner[Any]
    if execution.runner == "dask":
        with _dask_runner(execution.dask_address) as dask:
            yield partial(_execute, dask, _perform_here, 2 * sum(dask.client.nthreads().values()))
    elif execution.runner == "threads":
        with ThreadPoolTaskRunner(max_workers=workers) as threads:
            yield partial(_execute, threads, _perform_here, workers)
    else:
        # Prefect's own process runner starts its engine anew in each process, which takes 100 ms a task. A task run
        # in a thread takes 2 ms; the thread waits for a process of this pool to perform the step. One thread more
        # than processes, so that none of them waits for Prefect.
        at_once = workers + 1
        with (
            ThreadPoolTaskRunner(max_workers=at_once) as threads,
            WorkerPool(workers, get_run_logger().info) as pool,
        ):
            yield partial(_execute, threads, pool.perform, at_once)


def _perform_here(step: Step, data_dir: Path) -> Manifest:
    """Perform the step in this thread, without reporting progress."""
    return perform(step, data_dir, no_progress)


def _dask_runner(address: str) -> Any:
    """The task runner that submits to the cluster whose scheduler is at `address`."""
    try:
        from distributed.comm import get_address_host_port
        from prefect_dask import DaskTaskRunner
    except ImportError as error:
        raise PipelineError("execution.runner dask needs prefect-dask; install sentiment-pipeline[dask]") from error
    try:
        socket.create_connection(get_address_host_port(address), _SCHEDULER_TIMEOUT).close()
    except (OSError, ValueError) as error:
        raise PipelineError(
            f"execution.dask_address: no scheduler answers at {address}; start one there, or give its address"
        ) from error
    return DaskTaskRunner(address=address)


def _execute(
    runner: TaskRunner[Any],
    perform_one: Perform,
    at_once: int,
    steps: Sequence[Step],
    data_dir: Path,
    on_progress: ProgressCallback,
) -> Iterator[Manifest]:
    """Perform the steps as task runs, `at_once` at a time; yield each manifest as its step ends.

    After the first failure no further step begins, and the running ones end.

    Raises:
        PipelineError: a step failed; names it.
    """
    if len(steps) == 1:
        yield _perform_alone(steps[0], data_dir, on_progress)
        return
    waiting, running, ended = iter(steps), dict[Any, Step](), queue.SimpleQueue[PrefectFuture[Any]]()
    failure: PipelineError | None = None
    while True:
        for step in islice(waiting, 0 if failure else at_once - len(running)):
            future = runner.submit(perform_step, {"step": step, "data_dir": data_dir, "perform_in": perform_one})
            running[future] = step
            future.add_done_callback(ended.put)
        if not running:
            break
        future = ended.get()
        future.wait()
        try:
            yield _manifest_of(running.pop(future), future.state)
        except PipelineError as error:
            failure = failure or error
    if failure:
        raise failure


def _perform_alone(step: Step, data_dir: Path, on_progress: ProgressCallback) -> Manifest:
    """Perform the step in this thread; as a task run of its own unless it is the whole stage."""

    def perform_with_progress(step: Step, data_dir: Path) -> Manifest:
        return perform(step, data_dir, on_progress)

    if "/" not in step.name:
        return perform_with_progress(step, data_dir)
    return _manifest_of(step, perform_step(step, data_dir, perform_with_progress, return_state=True))


def _manifest_of(step: Step, state: State) -> Manifest:
    """The result of a task run that has ended."""
    if not state.is_completed():
        raise PipelineError(f"{step.name}: {state.message or f'it ended as {state.name}'}")
    return state.result()
