"""What every flow run does around its work: return a state for every end, show progress, perform its parts in order."""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import partial, wraps
from typing import ParamSpec
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.exceptions import CancelledRun, FailedRun
from prefect.runtime import deployment, flow_run
from prefect.states import Cancelled, Completed, Crashed, Failed, State

from flows.executor import executor_for
from flows.observer import FlowObserver, Observers
from flows.states import failure_state, outcome_state
from flows.task_runs import LocalFunction, perform_part
from sentiment_pipeline.console import progress_shown
from sentiment_pipeline.engine.stage import Execute, Observer, Run, SettingsT, Stage, check_stages, run_stage
from sentiment_pipeline.settings import ExecutionConfig

__all__ = ["Part", "final_state", "perform_in_order", "run_stages"]

_Parameters = ParamSpec("_Parameters")
Part = tuple[str, Callable[[], State]]  # of a flow: the name of its task run, and its work


def final_state(function: Callable[_Parameters, State]) -> Callable[_Parameters, State]:
    """Make `function` the body of a flow: an exception becomes the state that the run ends in.

    Each attempt at the run also marks what a killed attempt left behind, and keeps tracebacks of Prefect's engine out
    of the log.
    """

    @wraps(function)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> State:
        for name in ("prefect.flow_runs", "prefect.engine"):
            logging.getLogger(name).addFilter(_is_informative)
        _crash_lost_task_runs()
        try:
            return function(*args, **kwargs)
        except Exception as error:
            return failure_state(error)

    return run


def run_stages(run: Run[SettingsT], stages: Sequence[Stage[SettingsT]], execution: ExecutionConfig) -> State:
    """Run the stages in order. Unless a worker runs the flow, progress is shown in the terminal too."""
    check_stages(run, stages)
    observer: Observer = FlowObserver(run.data_dir)
    with executor_for(execution) as execute, nullcontext() if deployment.id else progress_shown() as terminal:
        if terminal is not None:
            observer = Observers(observer, terminal)
        return perform_in_order((stage.name, partial(_run_stage, run, stage, execute, observer)) for stage in stages)


def perform_in_order(parts: Iterable[Part]) -> State:
    """Perform the parts of a flow as task runs, until one does not complete."""
    for name, work in parts:
        state: State = perform_part(name, LocalFunction(work), return_state=True)
        if state.is_cancelled():
            if _is_being_cancelled():
                return Cancelled(message=f"cancelled during {name}; a new run resumes from there")
            raise state.result(raise_on_failure=False)  # the signal that interrupted it
        if not state.is_completed():
            return Failed(message=state.message)
    return Completed(message="finished")


def _run_stage(run: Run[SettingsT], stage: Stage[SettingsT], execute: Execute, observer: Observer) -> State:
    return outcome_state(run_stage(run, stage, execute, observer))


def _is_informative(record: logging.LogRecord) -> bool:
    """False for the traceback of Prefect's engine, which it logs after the line that says why a run failed."""
    return not (record.exc_info and isinstance(record.exc_info[1], FailedRun | CancelledRun))


def _crash_lost_task_runs() -> None:
    """Mark the task runs of a killed attempt at this run as crashed, or they would be shown as running forever."""
    this = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(flow_run.id)]))
    running = TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING]))
    crashed: State = Crashed(message="the process of this attempt was killed")
    with get_client(sync_client=True) as client:
        for task_run in client.read_task_runs(flow_run_filter=this, task_run_filter=TaskRunFilter(state=running)):
            client.set_task_run_state(task_run.id, crashed, force=True)


def _is_being_cancelled() -> bool:
    """Whether a user has cancelled this run.

    Prefect itself distinguishes a cancel from a kill only while its own handler of SIGTERM is in place; during training
    it is the trainer's, which saves a checkpoint first.
    """
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(UUID(flow_run.id)).state
    return state is not None and state.is_cancelling()
