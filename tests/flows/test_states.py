"""Which state an outcome and an exception become, and what is tried again."""

import errno
import logging

import pytest

from flows import states
from flows.states import failure_state, is_transient, outcome_state
from sentiment_pipeline.engine.stage import Outcome
from sentiment_pipeline.engine.workers import WorkerLostError
from sentiment_pipeline.errors import PipelineError, SettingsError


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (OSError(errno.EIO, "input/output error"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (WorkerLostError(), True),
        (FileNotFoundError(), False),
        (PermissionError(), False),
        (PipelineError("bad input"), False),
        (SettingsError("bad setting"), False),
        (ValueError("a defect"), False),
        (KeyboardInterrupt(), False),
        (None, False),
    ],
)
def test_only_transient_errors_are_tried_again(error: BaseException | None, transient: bool) -> None:
    assert is_transient(error) is transient


def test_a_skipped_stage_says_so() -> None:
    state = outcome_state(Outcome(done=0, skipped=12, seconds=0.1))
    assert (state.name, state.is_completed()) == ("Skipped", True)
    assert state.message == "nothing to do: 12 steps finished before, with these inputs and settings"


@pytest.mark.parametrize(
    ("done", "skipped", "message"), [(3, 1, "3 steps done, 1 step finished before"), (1, 0, "1 step done")]
)
def test_a_completed_stage_counts_its_steps(done: int, skipped: int, message: str) -> None:
    state = outcome_state(Outcome(done, skipped, 9.0))
    assert (state.name, state.message) == ("Completed", message)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PipelineError("disk full"), "disk full"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "/data/x: no space left on device; check the"),
        (MemoryError(), "out of memory; lower execution.workers"),
    ],
)
def test_an_expected_failure_is_its_line(error: Exception, message: str, caplog: pytest.LogCaptureFixture) -> None:
    state = failure_state(error)
    assert (state.name, state.data) == ("Failed", error)
    assert str(state.message).startswith(message)
    assert caplog.text == ""


def test_a_defect_fails_with_its_traceback_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(states, "get_run_logger", lambda: logging.getLogger("test"))
    try:
        raise KeyError("oops")
    except KeyError as error:
        state = failure_state(error)
    assert (state.name, state.message) == ("Failed", "KeyError: 'oops'")
    assert "unexpected error" in caplog.text
    assert 'raise KeyError("oops")' in caplog.text


def test_an_interrupt_is_a_cancel() -> None:
    interrupt = KeyboardInterrupt()
    state = failure_state(interrupt)
    assert (state.name, state.data) == ("Cancelled", interrupt)
