"""What a run shows on a terminal: a bar a stage where someone watches, plain lines where a file does.

Both are written to standard error, so that standard output stays free for results.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from sentiment_pipeline.stages.pipeline import Outcome
from sentiment_pipeline.stages.step import Condition, State, Step
from sentiment_pipeline.storage.manifest import JSON, Manifest


def observer() -> "PlainObserver":
    """Bars on a terminal, lines elsewhere."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    return BarObserver(console) if console.is_terminal else PlainObserver(partial(console.print, markup=False))


class Throughput:
    """What a stage's finished steps add up to."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.reviews = self.bytes = 0

    def add(self, manifest: Manifest) -> None:
        self.reviews += int(manifest.facts.get("reviews", 0))
        self.bytes += int(manifest.facts.get("bytes", 0))

    def __str__(self) -> str:
        seconds = max(time.monotonic() - self.started, 1e-3)
        parts = [f"{self.reviews:,} reviews"] if self.reviews else []
        parts += [f"{self.bytes / 1e6 / seconds:.1f} MB/s"] if self.bytes else []
        return ", ".join(parts)


class PlainObserver:
    """One line when something changes: for logs, pipes and continuous integration."""

    interval = 10.0  # seconds between two lines of one stage

    def __init__(self, write: Callable[[str], None]) -> None:
        self.write = write
        self.throughput = Throughput()
        self.due = 0.0
        self.total = self.count = 0

    def planned(self, stage: str, todo: Sequence[tuple[Step, State]], finished: int) -> None:
        self.throughput, self.total, self.count = Throughput(), len(todo), 0
        self.due = time.monotonic() + self.interval
        for reason in reasons(todo):
            self.write(f"{stage}: {reason}")

    def performed(self, stage: str, manifest: Manifest) -> None:
        self.throughput.add(manifest)
        self.count += 1
        left = (time.monotonic() - self.throughput.started) / self.count * (self.total - self.count)
        parts = (f"{self.count} of {self.total} steps", str(self.throughput), f"{left:.0f} s left")
        self.show(stage, ", ".join(filter(None, parts)))

    def reported(self, stage: str, values: dict[str, JSON]) -> None:
        self.show(stage, figures(values))

    def ended(self, stage: str, outcome: Outcome) -> None:
        if not outcome.done:
            self.write(f"{stage}: nothing to do, {steps(outcome.skipped)} finished before")
        else:
            again = f", {steps(outcome.skipped)} finished before" if outcome.skipped else ""
            self.write(f"{stage}: {steps(outcome.done)} done in {outcome.seconds:.1f} s{again}")

    def show(self, stage: str, text: str) -> None:
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + self.interval
            self.write(f"{stage}: {text}")

    def close(self) -> None:
        pass


class BarObserver(PlainObserver):
    """A progress bar a stage, with reviews, MB/s and the time left."""

    def __init__(self, console: Console) -> None:
        super().__init__(partial(console.print, markup=False))
        self.bars = Progress(TextColumn("{task.description:>10}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
                             TextColumn("{task.fields[text]}"), TimeRemainingColumn(), console=console)
        self.bar: TaskID | None = None
        self.bars.start()

    def planned(self, stage: str, todo: Sequence[tuple[Step, State]], finished: int) -> None:
        super().planned(stage, todo, finished)
        if todo:
            self.remove()
            self.bar = self.bars.add_task(stage, total=len(todo), text="")

    def performed(self, stage: str, manifest: Manifest) -> None:
        self.throughput.add(manifest)
        if self.bar is not None:
            self.bars.update(self.bar, advance=1, text=str(self.throughput))

    def reported(self, stage: str, values: dict[str, JSON]) -> None:
        if self.bar is None:  # what is no stage
            self.bar = self.bars.add_task(stage, total=None, text="")
        self.bars.update(self.bar, completed=values.get("step"), total=values.get("steps"), text=figures(values))

    def ended(self, stage: str, outcome: Outcome) -> None:
        self.remove()
        super().ended(stage, outcome)

    def remove(self) -> None:
        if self.bar is not None:
            self.bars.remove_task(self.bar)
            self.bar = None

    def close(self) -> None:
        self.bars.stop()


def reasons(todo: Sequence[tuple[Step, State]]) -> list[str]:
    """Why steps are done that were done before: each distinct reason once, with how many steps it concerns."""
    counts = Counter(f"{state.condition.value}, {state.reason}" for _, state in todo
                     if state.condition is not Condition.UNFINISHED)
    return [f"{steps(count)} {reason}" for reason, count in counts.items()]


def steps(count: int) -> str:
    return f"{count} step" if count == 1 else f"{count} steps"


def figures(values: dict[str, Any]) -> str:
    """Figures on one line, as people write them."""
    return ", ".join(f"{name.removesuffix('_bytes').replace('_', ' ')} {written(name, value)}"
                     for name, value in values.items())


def written(name: str, value: Any) -> str:
    if name.endswith("_bytes"):
        return f"{value / 1e9:.2f} GB"
    if isinstance(value, float) and abs(value) < 1000:
        return f"{value:.4g}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
