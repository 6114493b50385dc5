"""Where an exception becomes a state, for flows, stages and steps alike."""

from typing import Any

from prefect import get_run_logger
from prefect.states import Cancelled, Failed, State

from sentiment_pipeline.engine.workers import WorkerLostError
from sentiment_pipeline.errors import PipelineError, expected_failure

__all__ = ["can_pass", "failure_state"]

_LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def failure_state(error: BaseException) -> State:
    """The state of a run that `error` has ended: one clear line for an expected failure, in the command line's words.

    Of a defect the traceback goes to the run's log. The exception is the state's data, for `can_pass`.
    """
    if not isinstance(error, Exception):
        return Cancelled(message="interrupted; finished steps stay finished", data=error)
    if failure := expected_failure(error):
        return Failed(message=str(failure), data=error)
    get_run_logger().error("unexpected error:", exc_info=error)
    return Failed(message=f"{type(error).__name__}: {error}", data=error)


def can_pass(error: Any) -> bool:
    """Whether what failed may succeed when tried again: files, network, a lost worker, but no wrong input."""
    if isinstance(error, PipelineError):
        return isinstance(error, WorkerLostError)
    return isinstance(error, OSError) and not isinstance(error, _LASTING)
