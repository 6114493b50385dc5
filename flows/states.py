"""Where an outcome or an exception becomes a state, for flows, stages and steps alike."""

from typing import Any

from prefect import get_run_logger
from prefect.states import Cancelled, Completed, Failed, State

from sentiment_pipeline.engine.stage import Outcome
from sentiment_pipeline.engine.workers import WorkerLostError
from sentiment_pipeline.errors import PipelineError, expected_failure
from sentiment_pipeline.formatting import counted

__all__ = ["failure_state", "is_transient", "outcome_state"]

_PERMANENT = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def outcome_state(outcome: Outcome) -> State:
    """The state of a finished stage: `Completed`, or `Skipped` if every step was finished before."""
    before = f"{counted(outcome.skipped, 'step')} finished before"
    if not outcome.done:
        return Completed(name="Skipped", message=f"nothing to do: {before}, with these inputs and settings")
    done = f"{counted(outcome.done, 'step')} done"
    return Completed(message=f"{done}, {before}" if outcome.skipped else done)


def failure_state(error: BaseException) -> State:
    """The state of a run that ended with `error`, which is the state's data.

    `Cancelled` for an interrupt, otherwise `Failed`. The message of an expected failure is the line that the command
    line prints; the traceback of a defect goes to the run's log.
    """
    if not isinstance(error, Exception):
        return Cancelled(message="interrupted; finished steps are kept", data=error)
    if failure := expected_failure(error):
        return Failed(message=str(failure), data=error)
    get_run_logger().error("unexpected error:", exc_info=error)
    return Failed(message=f"{type(error).__name__}: {error}", data=error)


def is_transient(error: Any) -> bool:
    """Whether a retry may help: after an error of the file system or network, or a lost worker; not after bad input."""
    if isinstance(error, PipelineError):
        return isinstance(error, WorkerLostError)
    return isinstance(error, OSError) and not isinstance(error, _PERMANENT)
