"""Report what is finished in a data folder, what is not, and which setting or input made it stale."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sentiment_pipeline.engine.stage import PlannedStep, Run, SettingsT, Stage, planned_states
from sentiment_pipeline.errors import PipelineError

__all__ = ["status_lines"]

_MAX_LISTED = 20  # unfinished steps of a stage


def status_lines(run: Run[SettingsT], stages: Sequence[Stage[SettingsT]]) -> Iterator[str]:
    """Yield a line for each stage, followed by a line for each of its unfinished steps.

    The stages after the first unfinished one can only be listed as waiting: their steps depend on its results.
    """
    waiting = [stage.name for stage in stages]
    reached = ""
    try:
        for reached, states in planned_states(run, stages):
            waiting.remove(reached)
            yield from _stage_lines(reached, states)
    except PipelineError as error:
        reached = waiting.pop(0)
        yield f"{reached:<12}unfinished  {error}"
    for name in waiting:
        yield f"{name:<12}waits       until {reached} is finished"


def _stage_lines(stage: str, states: Sequence[PlannedStep]) -> Iterator[str]:
    counts = Counter(state.condition.value for _, state in states)
    worst = next((name for name in ("damaged", "stale", "unfinished") if counts[name]), "finished")
    yield f"{stage:<12}{worst:<12}" + ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    unfinished = [(step, state) for step, state in states if not state.finished]
    for step, state in unfinished[:_MAX_LISTED]:
        yield f"  {step.name}: {state.condition.value}: {state.reason}"
    if len(unfinished) > _MAX_LISTED:
        yield f"  and {len(unfinished) - _MAX_LISTED} more"
