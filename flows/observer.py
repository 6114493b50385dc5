"""What a flow run shows of its stages: log lines, a progress bar each, and artifacts.

The log lines are those of the command line; they go to the log of the stage's task run. Artifacts are
throttled, because each costs a request of 10 ms.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows import artifacts
from sentiment_pipeline.engine.manifest import JSON, Manifest
from sentiment_pipeline.engine.stage import Observer, Outcome, PlannedStep
from sentiment_pipeline.progress import PlainObserver, figures_line


class FlowObserver(PlainObserver):
    """Writes into the task run of the stage that is running."""

    refresh = 2.0  # seconds between two updates of a progress bar

    def __init__(self, data_dir: Path) -> None:
        super().__init__(lambda line: get_run_logger().info(line))
        self.data_dir = data_dir
        self._bar: UUID | None = None
        self._refreshed = 0.0
        self._planned = self._done = 0

    def planned(self, stage: str, todo: Sequence[PlannedStep], finished: int) -> None:
        super().planned(stage, todo, finished)
        self._planned += len(todo)
        if todo and self._bar is None:
            with _logged_only():
                self._bar = cast(UUID, create_progress_artifact(0.0, f"progress-{stage}", f"{stage}: started"))

    def performed(self, stage: str, manifest: Manifest) -> None:
        super().performed(stage, manifest)
        self._done += 1
        self._move(self._done / self._planned, f"{stage}: {self._done} of {self._planned} steps, {self.throughput}")

    def progressed(self, stage: str, figures: dict[str, JSON]) -> None:
        super().progressed(stage, figures)
        step, steps = figures.get("step"), figures.get("steps")
        if step and steps:
            self._move(step / steps, f"{stage}: {figures_line(figures)}")

    def ended(self, stage: str, outcome: Outcome) -> None:
        super().ended(stage, outcome)
        if self._bar is not None:
            self._refreshed = 0.0
            self._move(1.0, f"{stage}: done in {outcome.seconds:.1f} s")
        self._bar, self._planned, self._done = None, 0, 0
        with _logged_only():  # also of what was finished before, perhaps by the command line
            artifacts.publish(stage, self.data_dir)

    def _move(self, fraction: float, description: str) -> None:
        if self._bar is not None and time.monotonic() >= self._refreshed + self.refresh:
            self._refreshed = time.monotonic()
            with _logged_only():
                update_progress_artifact(self._bar, 100.0 * fraction, description=description)


@contextmanager
def _logged_only() -> Iterator[None]:
    """An artifact that cannot be created is a warning in the log, and no reason to fail."""
    try:
        yield
    except Exception as error:
        get_run_logger().warning("artifact not created: %s: %s", type(error).__name__, error)


class ObserverPair:
    """Two observers of the same run: the flow run's page, and the terminal it was started from."""

    def __init__(self, *observers: Observer) -> None:
        self.observers = observers

    def planned(self, stage: str, todo: Sequence[PlannedStep], finished: int) -> None:
        for each in self.observers:
            each.planned(stage, todo, finished)

    def performed(self, stage: str, manifest: Manifest) -> None:
        for each in self.observers:
            each.performed(stage, manifest)

    def progressed(self, stage: str, figures: dict[str, JSON]) -> None:
        for each in self.observers:
            each.progressed(stage, figures)

    def ended(self, stage: str, outcome: Outcome) -> None:
        for each in self.observers:
            each.ended(stage, outcome)
