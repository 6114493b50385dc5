"""What is finished in a data folder, what is not, and which setting or input made it so."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sentiment_pipeline.engine.stage import PlannedStep, Run, SettingsT, Stage, planned_states
from sentiment_pipeline.errors import PipelineError

__all__ = ["status_lines"]

_SHOWN = 20  # unfinished steps named for each stage


def status_lines(run: Run[SettingsT], stages: Sequence[Stage[SettingsT]]) -> Iterator[str]:
    """A line a stage, then one for each of its steps that is not finished.

    Stages after the first unfinished one cannot be planned yet: what they depend on is not there.
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
    for step, state in unfinished[:_SHOWN]:
        yield f"  {step.name}: {state.condition.value}: {state.reason}"
    if len(unfinished) > _SHOWN:
        yield f"  and {len(unfinished) - _SHOWN} more"
