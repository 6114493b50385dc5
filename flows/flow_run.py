"""What every flow run does around its stages: open the folder, run the stages, return a state that says how it went."""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TypeVar
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

from flows.observer import FlowObserver, ObserverPair
from flows.states import failure_state
from flows.task_runs import LocalFunction, execute_on, perform_work, run_stage_as_state
from sentiment_pipeline.console import progress_shown
from sentiment_pipeline.engine.stage import Observer, Run, Stage, check_stages
from sentiment_pipeline.settings import ExecutionConfig

__all__ = ["NamedWork", "perform_in_order", "run_flow", "run_stages"]

SettingsT = TypeVar("SettingsT")
NamedWork = tuple[str, Callable[[], State]]


def run_flow(
    open_run: Callable[[], AbstractContextManager[Run[SettingsT]]], work: Callable[[Run[SettingsT]], State]
) -> State:
    """The final state of a flow run: that of `work`, or of the failure of either argument.

    Args:
        open_run: makes the run from what the flow was given, in a folder that is held for it.
    """
    for name in ("prefect.flow_runs", "prefect.engine"):
        logging.getLogger(name).addFilter(_adds_information)
    _close_killed_attempt()
    try:
        with open_run() as run:
            return work(run)
    except Exception as error:
        return failure_state(error)


def _adds_information(record: logging.LogRecord) -> bool:
    """Not so the stack of Prefect's own engine, which it logs for a failed run after the line that says why."""
    return not (record.exc_info and isinstance(record.exc_info[1], FailedRun | CancelledRun))


def _close_killed_attempt() -> None:
    """Mark the task runs that a killed attempt at this run left running as crashed; else they stay so for ever."""
    this = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(flow_run.id)]))
    running = TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING]))
    killed: State = Crashed(message="the process of this attempt was killed")
    with get_client(sync_client=True) as client:
        for each in client.read_task_runs(flow_run_filter=this, task_run_filter=TaskRunFilter(state=running)):
            client.set_task_run_state(each.id, killed, force=True)


def run_stages(stages: Sequence[Stage[SettingsT]], execution: ExecutionConfig, run: Run[SettingsT]) -> State:
    """Run the stages in order. Progress goes to the terminal too, unless a worker runs this."""
    check_stages(run, stages)
    observer: Observer = FlowObserver(run.data_dir)
    with execute_on(execution) as execute, nullcontext() if deployment.id else progress_shown() as terminal:
        if terminal is not None:
            observer = ObserverPair(observer, terminal)
        return perform_in_order(
            (stage.name, partial(run_stage_as_state, run, stage, execute, observer)) for stage in stages
        )


def perform_in_order(works: Iterable[NamedWork]) -> State:
    """Perform the parts of a flow as task runs of their names, until one does not complete."""
    for name, work in works:
        state: State = perform_work(name, LocalFunction(work), return_state=True)
        if state.is_cancelled():
            if _is_being_cancelled():
                return Cancelled(message=f"cancelled during {name}; a new run resumes from there")
            raise state.result(raise_on_failure=False)  # the signal that interrupted it
        if not state.is_completed():
            return Failed(message=state.message)
    return Completed(message="finished")


def _is_being_cancelled() -> bool:
    """Whether someone has cancelled this run.

    Prefect itself tells a cancel from a kill only while its own handler of SIGTERM is in place; while training goes
    on, the trainer's is, which saves a checkpoint first.
    """
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(UUID(flow_run.id)).state
    return state is not None and state.is_cancelling()
