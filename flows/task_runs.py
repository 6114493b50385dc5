"""The two tasks: a part of a flow, such as a stage or a trial, and a step of a stage.

Each task run has the name of its part or step, so that the page of a flow run reads like the pipeline. Nothing here
relies on Prefect's cache: a task run that starts again, by Retry or in a new flow run, reads from the manifests what is
left to do.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import State
from prefect.tasks import exponential_backoff

from flows.states import failure_state, is_transient
from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.step import Step

__all__ = ["LocalFunction", "Perform", "perform_part", "perform_step"]

Perform = Callable[[Step, Path], Manifest]  # performs a step in a data folder, here or elsewhere


def _failed_transiently(task: Any, task_run: Any, state: State) -> bool:
    """`is_transient` with the arguments that Prefect passes."""
    return is_transient(state.data)


_retried_task: Any = partial(
    task,
    retries=3,
    retry_delay_seconds=exponential_backoff(2),
    retry_jitter_factor=0.5,
    retry_condition_fn=_failed_transiently,
    cache_policy=NO_CACHE,
    persist_result=False,
)


class LocalFunction:
    """A function of this process. Pickling drops it.

    Prefect pickles the parameters of a part with each of its steps that it sends to a Dask cluster.

    Args:
        function: what a call of this object calls; None after pickling.
    """

    def __init__(self, function: Callable[[], State] | None = None) -> None:
        self._function = function

    def __reduce__(self) -> tuple[type["LocalFunction"], tuple[()]]:
        return LocalFunction, ()

    def __call__(self) -> State:
        assert self._function is not None
        return self._function()


@_retried_task(task_run_name="{name}")
def perform_part(name: str, work: LocalFunction) -> State:
    """A part of a flow as a task run called `name`; returns the state of `work`, or of its failure.

    It raises nothing, not even a cancel: Prefect would show the finished steps in a task that raises as rolled back.
    """
    try:
        return work()
    except BaseException as error:
        return failure_state(error)


@_retried_task(task_run_name="{step.name}")
def perform_step(step: Step, data_dir: Path, perform_in: Perform) -> Any:
    """A step as a task run; returns its manifest, or the state of its failure."""
    try:
        return perform_in(step, data_dir)
    except Exception as error:
        return failure_state(error)
