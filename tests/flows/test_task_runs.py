"""A part of a flow and a step as tasks: what they return; called without Prefect."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from prefect.states import Completed, Failed, State

from flows.task_runs import LocalFunction, _failed_transiently, perform_part, perform_step
from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.step import Step
from sentiment_pipeline.engine.workers import WorkerLostError
from sentiment_pipeline.errors import PipelineError

STEP = Step("stage/0", dict, {}, {}, ())


def test_a_step_returns_its_manifest(tmp_path: Path) -> None:
    manifest = Manifest("stage/0", {}, {}, {"reviews": 3})

    def done(step: Step, data_dir: Path) -> Manifest:
        assert (step, data_dir) == (STEP, tmp_path)
        return manifest

    assert perform_step.fn(STEP, tmp_path, done) is manifest


def test_a_step_that_fails_returns_a_state(tmp_path: Path) -> None:
    def failing(step: Step, data_dir: Path) -> Manifest:
        raise PipelineError("disk full")

    state = perform_step.fn(STEP, tmp_path, failing)
    assert (state.name, state.message) == ("Failed", "disk full")


def test_an_interrupt_leaves_a_step_and_becomes_the_state_of_its_part(tmp_path: Path) -> None:
    def interrupted(step: Step, data_dir: Path) -> Manifest:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        perform_step.fn(STEP, tmp_path, interrupted)
    state = perform_part.fn("stage", LocalFunction(lambda: perform_step.fn(STEP, tmp_path, interrupted)))
    assert (state.name, type(state.data)) == ("Cancelled", KeyboardInterrupt)


def test_a_part_returns_the_state_of_its_work() -> None:
    assert perform_part.fn("stage", LocalFunction(lambda: Completed(message="3 steps done"))).message == "3 steps done"


def test_a_local_function_is_dropped_by_pickling() -> None:
    copy = pickle.loads(pickle.dumps(LocalFunction(Completed)))
    with pytest.raises(AssertionError):
        copy()


@pytest.mark.parametrize("task", [perform_part, perform_step])
def test_transient_failures_are_retried_three_times(task: Any) -> None:
    assert (task.retries, task.retry_condition_fn) == (3, _failed_transiently)
    assert task.retry_delay_seconds == [2, 4, 8]

    def failed(error: Exception) -> State:
        return Failed(message="failed", data=error)

    assert task.retry_condition_fn(None, None, failed(WorkerLostError()))
    assert not task.retry_condition_fn(None, None, failed(PipelineError("bad input")))
