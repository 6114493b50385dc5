"""What a flow run shows of its stages: log lines, a progress bar for each, and artifacts.

The log lines are those of the command line; they go to the log of the stage's task run. Updates of a progress bar are
throttled, because each is a request of 10 ms.
"""

import math
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
from sentiment_pipeline.formatting import duration
from sentiment_pipeline.progress import PlainObserver, figures_line

__all__ = ["FlowObserver", "Observers"]


class FlowObserver(PlainObserver):
    """Shows a stage in the task run that is running it.

    Args:
        data_dir: the data folder, from which artifacts are made.
    """

    refresh = 2.0  # seconds between two updates of a progress bar

    def __init__(self, data_dir: Path) -> None:
        super().__init__(lambda line: get_run_logger().info(line))
        self._data_dir = data_dir
        self._bar: UUID | None = None
        self._refreshed = -math.inf
        self._planned = self._done = 0

    def planned(self, stage: str, todo: Sequence[PlannedStep], finished: int) -> None:
        super().planned(stage, todo, finished)
        self._planned += len(todo)
        if todo and self._bar is None:
            with _errors_as_warnings():
                self._bar = cast(UUID, create_progress_artifact(0.0, f"progress-{stage}", f"{stage}: started"))

    def performed(self, stage: str, manifest: Manifest) -> None:
        super().performed(stage, manifest)
        self._done += 1
        text = f"{stage}: {self._done} of {self._planned} steps, {self.throughput}"
        self._update_bar(self._done / self._planned, text)

    def progressed(self, stage: str, figures: dict[str, JSON]) -> None:
        super().progressed(stage, figures)
        step, steps = figures.get("step"), figures.get("steps")
        if step and steps:
            self._update_bar(step / steps, f"{stage}: {figures_line(figures)}")

    def ended(self, stage: str, outcome: Outcome) -> None:
        super().ended(stage, outcome)
        if self._bar is not None:
            self._refreshed = -math.inf
            self._update_bar(1.0, f"{stage}: done in {duration(outcome.seconds)}")
        self._bar, self._planned, self._done = None, 0, 0
        with _errors_as_warnings():  # also of a stage that was finished before, perhaps by the command line
            artifacts.publish(stage, self._data_dir)

    def _update_bar(self, fraction: float, description: str) -> None:
        if self._bar is not None and time.monotonic() >= self._refreshed + self.refresh:
            self._refreshed = time.monotonic()
            with _errors_as_warnings():
                update_progress_artifact(self._bar, 100.0 * fraction, description=description)


class Observers:
    """Several observers of the same run: the page of the flow run, and the terminal that it was started from.

    Args:
        observers: each of them sees everything.
    """

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def planned(self, stage: str, todo: Sequence[PlannedStep], finished: int) -> None:
        for observer in self._observers:
            observer.planned(stage, todo, finished)

    def performed(self, stage: str, manifest: Manifest) -> None:
        for observer in self._observers:
            observer.performed(stage, manifest)

    def progressed(self, stage: str, figures: dict[str, JSON]) -> None:
        for observer in self._observers:
            observer.progressed(stage, figures)

    def ended(self, stage: str, outcome: Outcome) -> None:
        for observer in self._observers:
            observer.ended(stage, outcome)


@contextmanager
def _errors_as_warnings() -> Iterator[None]:
    """Log an exception as a warning, because a run does not fail for an artifact."""
    try:
        yield
    except Exception as error:
        get_run_logger().warning("artifact not created: %s: %s", type(error).__name__, error)
