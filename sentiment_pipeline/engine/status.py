"""Report what is finished in a data folder, what is not, and which setting or input made it stale."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypedDict

from sentiment_pipeline.engine.stage import PlannedStep, Run, SettingsT, Stage, planned_states
from sentiment_pipeline.errors import PipelineError

__all__ = ["StageStatus", "StepStatus", "stage_statuses", "status_lines"]

_MAX_LISTED = 20  # unfinished steps of a stage


class StepStatus(TypedDict):
    """A step that is not finished, and why."""

    step: str
    condition: str
    reason: str


class StageStatus(TypedDict):
    """A stage: its worst condition, why, and its steps that are not finished."""

    stage: str
    condition: str  # finished, unfinished, stale, damaged; or waits, for an earlier stage
    reason: str
    steps: list[StepStatus]


def stage_statuses(run: Run[SettingsT], stages: Sequence[Stage[SettingsT]]) -> Iterator[StageStatus]:
    """Yield the status of each stage, in order.

    The stages after the first unfinished one can only be listed as waiting: their steps depend on its results.
    """
    waiting = [stage.name for stage in stages]
    reached = ""
    try:
        for reached, states in planned_states(run, stages):
            waiting.remove(reached)
            yield _stage_status(reached, states)
    except PipelineError as error:
        reached = waiting.pop(0)
        yield StageStatus(stage=reached, condition="unfinished", reason=str(error), steps=[])
    for name in waiting:
        yield StageStatus(stage=name, condition="waits", reason=f"until {reached} is finished", steps=[])


def status_lines(run: Run[SettingsT], stages: Sequence[Stage[SettingsT]]) -> Iterator[str]:
    """Yield a line for each stage, followed by a line for each of its unfinished steps."""
    for status in stage_statuses(run, stages):
        yield f"{status['stage']:<12}{status['condition']:<12}{status['reason']}"
        for step in status["steps"][:_MAX_LISTED]:
            yield f"  {step['step']}: {step['condition']}: {step['reason']}"
        if len(status["steps"]) > _MAX_LISTED:
            yield f"  and {len(status['steps']) - _MAX_LISTED} more"


def _stage_status(stage: str, states: Sequence[PlannedStep]) -> StageStatus:
    counts = Counter(state.condition.value for _, state in states)
    worst = next((name for name in ("damaged", "stale", "unfinished") if counts[name]), "finished")
    unfinished = [
        StepStatus(step=step.name, condition=state.condition.value, reason=state.reason)
        for step, state in states
        if not state.finished
    ]
    reason = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    return StageStatus(stage=stage, condition=worst, reason=reason, steps=unfinished)
