"""Stages and steps as task runs.

A stage is a task run of its own name, and so is each of its steps, so that the run's page reads like the
pipeline. A step that is alone in its list (training, the vocabulary) runs in the flow's main thread, where a
cancel interrupts it; the others go to threads, processes or a Dask cluster, as the settings say.

Nothing here relies on Prefect's cache: a task run that is started again, by Retry or by a new flow run, asks the
manifests what is left to do.
"""

import queue
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.states import Completed, State
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

from flows.states import can_pass, failure_state
from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.stage import Execute, Observer, Outcome, Run, Stage, run_stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, no_progress, perform
from sentiment_pipeline.engine.workers import WorkerPool, available_cores
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.formatting import counted
from sentiment_pipeline.settings import ExecutionConfig

__all__ = ["LocalFunction", "execute_on", "perform_step", "perform_work", "run_stage_as_state"]

SettingsT = TypeVar("SettingsT")
Perform = Callable[[Step, Path], Manifest]

_SCHEDULER_TIMEOUT = 10  # seconds


def _failure_can_pass(task: Any, task_run: Any, state: State) -> bool:
    """`can_pass` as Prefect asks it."""
    return can_pass(state.data)


_retried: Any = partial(
    task,
    retries=3,
    retry_delay_seconds=exponential_backoff(2),
    retry_jitter_factor=0.5,
    retry_condition_fn=_failure_can_pass,
    cache_policy=NO_CACHE,
    persist_result=False,
)


class LocalFunction:
    """A function that stays in this process: sent to another one, as a parameter of a step's parent, it is dropped."""

    def __init__(self, function: Callable[[], State] | None = None) -> None:
        self._function = function

    def __reduce__(self) -> tuple[type["LocalFunction"], tuple[()]]:
        return LocalFunction, ()

    def __call__(self) -> State:
        assert self._function is not None
        return self._function()


@_retried(task_run_name="{name}")
def perform_work(name: str, work: LocalFunction) -> State:
    """A part of a flow, such as a stage or a trial, as a task run of its name.

    Nothing is raised, a cancel included: Prefect would show the finished steps in a task that raises as rolled back.
    """
    try:
        return work()
    except BaseException as error:
        return failure_state(error)


@_retried(task_run_name="{step.name}")
def perform_step(step: Step, data_dir: Path, perform_in: Perform) -> Any:
    """One step as a task run: its manifest, or the state of its failure."""
    try:
        return perform_in(step, data_dir)
    except Exception as error:
        return failure_state(error)


def run_stage_as_state(run: Run[SettingsT], stage: Stage[SettingsT], execute: Execute, observer: Observer) -> State:
    """Run a stage; the state says how many of its steps were done, and how many were finished before."""
    return _outcome_state(run_stage(run, stage, execute, observer))


@contextmanager
def execute_on(settings: ExecutionConfig) -> Iterator[Execute]:
    """What executes a list of steps as task runs, on the runner that the settings name.

    Raises:
        PipelineError: no Dask scheduler answers, or prefect-dask is not installed.
    """
    workers = settings.workers or available_cores()
    if settings.runner == "dask":
        with _dask_runner(settings.dask_address) as dask:
            yield partial(_execute, dask, _perform_here, 2 * sum(dask.client.nthreads().values()))
        return
    at_once = workers + (settings.runner == "processes")  # one waits in the pool, so that no process waits for Prefect
    threads: ThreadPoolTaskRunner[Any]
    with ThreadPoolTaskRunner(max_workers=at_once) as threads:
        if settings.runner == "threads":
            yield partial(_execute, threads, _perform_here, at_once)
        else:
            # Prefect's own process runner starts its engine anew in each process, 100 ms a task. A task run in a
            # thread takes 2 ms, and waits for a process of this pool to do the step.
            with WorkerPool(workers, get_run_logger().info) as pool:
                yield partial(_execute, threads, pool.perform, at_once)


def _outcome_state(outcome: Outcome) -> State:
    before = f"{counted(outcome.skipped, 'step')} finished before"
    if not outcome.done:
        return Completed(name="Skipped", message=f"nothing to do: {before}, with these inputs and settings")
    done = f"{counted(outcome.done, 'step')} done"
    return Completed(message=f"{done}, {before}" if outcome.skipped else done)


def _perform_here(step: Step, data_dir: Path) -> Manifest:
    """Perform the step right here, without reporting progress."""
    return perform(step, data_dir, no_progress)


def _dask_runner(address: str) -> Any:
    """The runner that submits to the cluster at `address`."""
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
    perform_in: Perform,
    at_once: int,
    steps: Sequence[Step],
    data_dir: Path,
    on_progress: ProgressCallback,
) -> Iterator[Manifest]:
    """Perform the steps as task runs, `at_once` at a time; yield each manifest as its step ends.

    After the first failure no further step begins; the running ones end first.

    Raises:
        PipelineError: a step failed; names it.
    """
    if len(steps) == 1:
        yield _perform_alone(steps[0], data_dir, on_progress)
        return
    waiting, running, ended = iter(steps), dict[Any, Step](), queue.SimpleQueue[PrefectFuture[Any]]()
    failure: PipelineError | None = None
    while True:
        while failure is None and len(running) < at_once and (step := next(waiting, None)):
            future = runner.submit(perform_step, {"step": step, "data_dir": data_dir, "perform_in": perform_in})
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
    """Perform the step in this thread; as a task run of its own unless the stage's own task run is just that."""

    def here(step: Step, data_dir: Path) -> Manifest:
        return perform(step, data_dir, on_progress)

    if "/" not in step.name:
        return here(step, data_dir)
    return _manifest_of(step, perform_step(step, data_dir, here, return_state=True))


def _manifest_of(step: Step, state: State) -> Manifest:
    """The result of a task run that has ended."""
    if not state.is_completed():
        raise PipelineError(f"{step.name}: {state.message or f'it ended as {state.name}'}")
    return state.result()
