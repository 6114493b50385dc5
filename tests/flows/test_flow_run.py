"""What every flow run does around its work."""

import logging
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import flow
from prefect.exceptions import CancelledRun, FailedRun
from prefect.runtime import flow_run
from prefect.states import Completed, Failed, Running, State

from flows.flow_run import _crash_lost_task_runs, _is_informative, final_state, perform_in_order
from flows.pipeline import pipeline
from flows.task_runs import perform_part
from sentiment_pipeline.errors import PipelineError
from tests.flows.user import Prefect, states


def test_values_that_contradict_each_other_fail_in_one_line(prefect: Prefect, settings: dict[str, Any]) -> None:
    run = prefect.call(pipeline, {**settings, "execution": {"runner": "dask"}})
    assert run.state
    assert run.state.name == "Failed"
    assert run.state.message == "execution.dask_address is empty; execution.runner dask needs the scheduler's address"
    assert "Traceback" not in prefect.logs(run)
    assert not Path(settings["data_dir"]).exists()


def in_a_flow(prefect: Prefect, body: Callable[[], State], last: str) -> tuple[State, dict[str, str | None]]:
    """The final state of a flow with this body, and the states of its task runs, the last of which has this name."""

    @flow(name="body")
    @final_state
    def run() -> State:
        return body()

    state: Any = run(return_state=True)
    started = prefect.client.read_flow_run(state.state_details.flow_run_id)
    return state, states(prefect.tasks(started, last))


def test_parts_are_performed_until_one_fails(prefect: Prefect) -> None:
    def parts() -> Any:
        yield "first", Completed
        yield "second", partial(Failed, message="no space")
        raise AssertionError("a third part was asked for")

    state, tasks = in_a_flow(prefect, lambda: perform_in_order(parts()), "second")
    assert (state.name, state.message) == ("Failed", "no space")
    assert tasks == {"first": "Completed", "second": "Failed"}


def test_an_exception_is_the_final_state(prefect: Prefect) -> None:
    def body() -> State:
        perform_in_order([("first", Completed)])
        raise PipelineError("disk full")

    state, _ = in_a_flow(prefect, body, "first")
    assert (state.name, state.message) == ("Failed", "disk full")


def test_task_runs_that_a_killed_attempt_left_running_are_crashed(prefect: Prefect) -> None:
    messages: list[Any] = []

    def body() -> State:
        lost = prefect.client.create_task_run(perform_part, UUID(flow_run.id), "0", name="lost", state=Running())
        _crash_lost_task_runs()  # as the next attempt does
        messages.append(prefect.client.read_task_run(lost.id).state)
        return Completed()

    state, tasks = in_a_flow(prefect, body, "lost")
    assert state.is_completed()
    assert tasks == {"lost": "Crashed"}
    assert [each.message for each in messages] == ["the process of this attempt was killed"]


@pytest.mark.parametrize(
    ("error", "informative"),
    [(FailedRun("no space"), False), (CancelledRun("cancelled"), False), (KeyError("x"), True)],
)
def test_tracebacks_of_the_engine_are_not_logged(error: Exception, informative: bool) -> None:
    try:
        raise error
    except Exception:
        record = logging.LogRecord("prefect.flow_runs", logging.ERROR, "", 0, "failed", None, sys.exc_info())
    assert _is_informative(record) is informative
    record.exc_info = None
    assert _is_informative(record)
