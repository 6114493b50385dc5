"""Stages and steps as task runs.

A stage is a task run of its own name, and so is each of its steps, so that the run's page reads like the
pipeline. A step that is alone in its list (training, the vocabulary) runs in the flow's main thread, where a
cancel interrupts it; the others go to threads, processes or a Dask cluster, as the settings say.

Nothing here relies on Prefect's cache: a task run that is begun anew, by Retry or by a new flow run, asks the
manifests what is left to do.
"""

import os
import queue
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.states import Cancelled, Completed, Failed, State
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

from flows.pool import StepPool, WorkerLost
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.settings import ExecutionConfig
from sentiment_pipeline.stages import pipeline
from sentiment_pipeline.stages.execute import silent
from sentiment_pipeline.stages.step import Report, Run, Stage, Step, perform
from sentiment_pipeline.storage.manifest import Manifest

Perform = Callable[[Step, Path], Manifest]

ANSWERING = 10  # seconds that a Dask scheduler may take to answer
LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def can_pass(error: Any) -> bool:
    """Whether what failed may go well when tried again: files, network, a lost worker, but no wrong input."""
    return isinstance(error, WorkerLost) or (isinstance(error, OSError) and not isinstance(error, LASTING))


def failure_can_pass(task: Any, task_run: Any, state: State) -> bool:
    """`can_pass` as Prefect asks it."""
    return can_pass(state.data)


retried: Any = partial(task, retries=3, retry_delay_seconds=exponential_backoff(2), retry_jitter_factor=0.5,
                       retry_condition_fn=failure_can_pass, cache_policy=NO_CACHE, persist_result=False)


class Unsent:
    """A function that stays in this process: sent to another one, as a parameter of a step's parent, it is lost."""

    def __init__(self, function: Callable[[], State] | None = None) -> None:
        self.function = function

    def __reduce__(self) -> tuple[type["Unsent"], tuple[()]]:
        return Unsent, ()

    def __call__(self) -> State:
        assert self.function is not None
        return self.function()


@retried(task_run_name="{name}")
def perform_part(name: str, work: Unsent) -> State:
    """One part of a flow, such as a stage, under its name.

    Nothing is raised, a cancel included: Prefect would show the finished steps in a task that raises as rolled back.
    """
    try:
        return work()
    except PipelineError as error:
        return Failed(message=str(error))
    except Exception as error:
        get_run_logger().exception("failed, for a reason that is not foreseen:")
        return Failed(message=f"{type(error).__name__}: {error}", data=error)
    except BaseException as interrupt:
        return Cancelled(message="interrupted; what is finished stays finished", data=interrupt)


def run_stage(run: Run, stage: Stage, execute: pipeline.Execute, observer: pipeline.Observer) -> State:
    """Run a stage; the state says how much of it was done, and how much had been done before."""
    return state_of(pipeline.run_stage(run, stage, execute, observer))


def state_of(outcome: pipeline.Outcome) -> State:
    """What a stage came to, in words."""
    before = f"{counted(outcome.skipped)} finished before"
    if not outcome.done:
        return Completed(name="Skipped", message=f"nothing to do: {before}, with these inputs and settings")
    return Completed(message=f"{counted(outcome.done)} done" + (f", {before}" if outcome.skipped else ""))


@retried(task_run_name="{step.name}")
def perform_step(step: Step, data_dir: Path, how: Perform) -> Any:
    """One step: its manifest, or for an expected failure a state of one clear line, without a traceback."""
    try:
        return how(step, data_dir)
    except PipelineError as error:
        return Failed(message=str(error), data=error)
    except Exception as error:
        if not can_pass(error):
            get_run_logger().exception("failed, for a reason that is not foreseen:")
        raise


def perform_silently(step: Step, data_dir: Path) -> Manifest:
    """Perform the step right here, without reports."""
    return perform(step, data_dir, silent)


@contextmanager
def executor(settings: ExecutionConfig) -> Iterator[pipeline.Execute]:
    """What executes a list of steps as task runs, on the engine that the settings name."""
    workers = settings.workers or len(os.sched_getaffinity(0))
    if settings.runner == "dask":
        with dask_runner(settings.dask_address) as dask:
            yield partial(execute, dask, perform_silently, 2 * sum(dask.client.nthreads().values()))
        return
    at_once = workers + (settings.runner == "processes")  # one waits in the pool, so that no process waits for Prefect
    threads: ThreadPoolTaskRunner[Any]
    with ThreadPoolTaskRunner(max_workers=at_once) as threads:
        if settings.runner == "threads":
            yield partial(execute, threads, perform_silently, at_once)
        else:
            with StepPool(workers, get_run_logger().info) as pool:
                yield partial(execute, threads, pool.perform, at_once)


def dask_runner(address: str) -> Any:
    """The runner that submits to the cluster at `address`.

    Raises:
        PipelineError: no scheduler answers there, or the optional package is not installed.
    """
    try:
        from distributed.comm import get_address_host_port
        from prefect_dask import DaskTaskRunner
    except ImportError as error:
        raise PipelineError("execution.runner dask needs prefect-dask; install sentiment-pipeline[dask]") from error
    try:
        socket.create_connection(get_address_host_port(address), ANSWERING).close()
    except (OSError, ValueError) as error:
        raise PipelineError(f"execution.dask_address: no scheduler answers at {address}; start one there, or give its "
                            "address") from error
    return DaskTaskRunner(address=address)


def execute(runner: TaskRunner[Any], how: Perform, at_once: int,
            steps: Sequence[Step], data_dir: Path, report: Report) -> Iterator[Manifest]:
    """Perform the steps as task runs, `at_once` at a time; yield each manifest as its step ends.

    After the first failure no further step begins; the running ones end first.

    Raises:
        PipelineError: a step failed; names it.
    """
    if len(steps) == 1:
        yield perform_alone(steps[0], data_dir, report)
        return
    waiting, running, ended = iter(steps), dict[Any, Step](), queue.SimpleQueue[PrefectFuture[Any]]()
    failure: PipelineError | None = None
    while True:
        while failure is None and len(running) < at_once and (step := next(waiting, None)):
            future = runner.submit(perform_step, {"step": step, "data_dir": data_dir, "how": how})
            running[future] = step
            future.add_done_callback(ended.put)
        if not running:
            break
        future = ended.get()
        future.wait()
        try:
            yield manifest_of(running.pop(future), future.state)
        except PipelineError as error:
            failure = failure or error
    if failure:
        raise failure


def perform_alone(step: Step, data_dir: Path, report: Report) -> Manifest:
    """Perform the step in this thread; as a task run of its own unless the stage's own task run is just that."""
    def here(step: Step, data_dir: Path) -> Manifest:
        return perform(step, data_dir, report)

    if "/" not in step.name:
        return here(step, data_dir)
    return manifest_of(step, perform_step(step, data_dir, here, return_state=True))


def manifest_of(step: Step, state: State) -> Manifest:
    """The result of a task run that has ended."""
    if not state.is_completed():
        raise PipelineError(f"{step.name}: {state.message or f'it ended as {state.name}'}")
    return state.result()


def counted(steps: int) -> str:
    return f"{steps} step" if steps == 1 else f"{steps} steps"
