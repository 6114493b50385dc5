"""What every flow does around its stages: open the folder, run the stages, say how it went."""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from typing import Any
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

from flows.execution import Unsent, executor, perform_part, run_stage
from flows.observer import Both, FlowObserver
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.progress import observer as terminal
from sentiment_pipeline.stages.pipeline import check
from sentiment_pipeline.stages.step import Run, Stage

Part = tuple[str, Callable[[], State]]


def run_flow(opened: Callable[[], AbstractContextManager[Run]], work: Callable[[Run], State]) -> State:
    """What a flow returns: what `work` does, or for an expected failure a Failed state of one clear line.

    Args:
        opened: makes the run of what the flow was given, in a folder that is held for it; what this raises is among
            the expected failures.
    """
    for name in ("prefect.flow_runs", "prefect.engine"):
        logging.getLogger(name).addFilter(says_more)
    close_killed_attempt()
    try:
        with opened() as run:
            return work(run)
    except PipelineError as error:
        return Failed(message=str(error))


def says_more(record: logging.LogRecord) -> bool:
    """Not so the stack of Prefect's own engine, logged for a run that did not end well after the line that says why."""
    return not (record.exc_info and isinstance(record.exc_info[1], FailedRun | CancelledRun))


def close_killed_attempt() -> None:
    """Call crashed what a killed attempt at this run left running; else it would be shown so for ever."""
    this = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(flow_run.id)]))
    running = TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING]))
    killed: State = Crashed(message="the process of this attempt was killed")
    with get_client(sync_client=True) as client:
        for each in client.read_task_runs(flow_run_filter=this, task_run_filter=TaskRunFilter(state=running)):
            client.set_task_run_state(each.id, killed, force=True)


def run_stages(stages: Sequence[Stage], run: Run) -> State:
    """Run the stages in order. Progress goes to the terminal too, unless a worker runs this."""
    check(run, stages)
    watching: Any = FlowObserver(run)
    with executor(run.settings.execution) as execute, nullcontext() if deployment.id else closing(terminal()) as bars:
        if bars:
            watching = Both(watching, bars)
        return in_order((stage.name, partial(run_stage, run, stage, execute, watching)) for stage in stages)


def in_order(parts: Iterable[Part]) -> State:
    """Perform the parts of a flow as task runs of their names, until one does not end well."""
    for name, work in parts:
        state: State = perform_part(name, Unsent(work), return_state=True)
        if state.is_cancelled():
            if is_being_cancelled():
                return Cancelled(message=f"cancelled during {name}; a new run goes on from there")
            raise state.result(raise_on_failure=False)  # the signal that interrupted it
        if not state.is_completed():
            return Failed(message=state.message)
    return Completed(message="finished")


def is_being_cancelled() -> bool:
    """Whether someone has cancelled this run.

    Prefect itself tells a cancel from a kill only while its own handler of SIGTERM is in place; while training goes
    on, the trainer's is, which saves a checkpoint first.
    """
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(UUID(flow_run.id)).state
    return state is not None and state.is_cancelling()
