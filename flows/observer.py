"""What a flow run shows of its stages: log lines, a progress bar each, and what each stage made.

The log lines are those of the command line; they go to the log of the stage's task run. Artifacts are
throttled, because each costs a request of 10 ms.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows import artifacts
from sentiment_pipeline.progress import PlainObserver, figures
from sentiment_pipeline.stages.pipeline import Observer, Outcome
from sentiment_pipeline.stages.step import Run, State, Step
from sentiment_pipeline.storage.manifest import JSON, Manifest


class FlowObserver(PlainObserver):
    """Writes into the task run of the stage that is running."""

    refresh = 2.0  # seconds between two updates of a progress bar

    def __init__(self, run: Run) -> None:
        super().__init__(lambda line: get_run_logger().info(line))
        self.run = run
        self.bar: UUID | None = None
        self.refreshed = 0.0
        self.all = self.ready = 0

    def planned(self, stage: str, todo: Sequence[tuple[Step, State]], finished: int) -> None:
        super().planned(stage, todo, finished)
        self.all += len(todo)
        if todo and self.bar is None:
            with harmless():
                self.bar = cast(UUID, create_progress_artifact(0.0, f"progress-{stage}", f"{stage}: begun"))

    def performed(self, stage: str, manifest: Manifest) -> None:
        super().performed(stage, manifest)
        self.ready += 1
        self.move(self.ready / self.all, f"{stage}: {self.ready} of {self.all} steps, {self.throughput}")

    def reported(self, stage: str, values: dict[str, JSON]) -> None:
        super().reported(stage, values)
        step, steps = values.get("step"), values.get("steps")
        if step and steps:
            self.move(step / steps, f"{stage}: {figures(values)}")

    def ended(self, stage: str, outcome: Outcome) -> None:
        super().ended(stage, outcome)
        if self.bar is not None:
            self.refreshed = 0.0
            self.move(1.0, f"{stage}: done in {outcome.seconds:.1f} s")
        self.bar, self.all, self.ready = None, 0, 0
        with harmless():  # also of what was finished before, perhaps by the command line
            artifacts.publish(stage, self.run)

    def move(self, share: float, description: str) -> None:
        if self.bar is not None and time.monotonic() >= self.refreshed + self.refresh:
            self.refreshed = time.monotonic()
            with harmless():
                update_progress_artifact(self.bar, 100.0 * share, description=description)


@contextmanager
def harmless() -> Iterator[None]:
    """What cannot be shown is said in the log; it is no reason to fail."""
    try:
        yield
    except Exception as error:
        get_run_logger().warning("not shown: %s: %s", type(error).__name__, error)


class Both:
    """Two observers of the same run: the flow run's page, and the terminal it was started from."""

    def __init__(self, *observers: Observer) -> None:
        self.observers = observers

    def planned(self, stage: str, todo: Sequence[tuple[Step, State]], finished: int) -> None:
        for each in self.observers:
            each.planned(stage, todo, finished)

    def performed(self, stage: str, manifest: Manifest) -> None:
        for each in self.observers:
            each.performed(stage, manifest)

    def reported(self, stage: str, values: dict[str, JSON]) -> None:
        for each in self.observers:
            each.reported(stage, values)

    def ended(self, stage: str, outcome: Outcome) -> None:
        for each in self.observers:
            each.ended(stage, outcome)
