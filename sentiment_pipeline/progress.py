"""The progress of a run on a terminal: a progress bar a stage, or plain lines where output goes to a file.

Both are written to standard error, so that standard output stays free for results.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from sentiment_pipeline.engine.manifest import JSON, Manifest
from sentiment_pipeline.engine.stage import Outcome, PlannedStep
from sentiment_pipeline.engine.step import Condition
from sentiment_pipeline.formatting import counted, figure

__all__ = ["BarObserver", "PlainObserver", "Throughput", "figures_line", "terminal_observer"]


def terminal_observer() -> "PlainObserver":
    """Bars on a terminal, lines elsewhere."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    return BarObserver(console) if console.is_terminal else PlainObserver(partial(console.print, markup=False))


class Throughput:
    """The reviews and bytes of a stage's finished steps, as a rate."""

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

    def planned(self, stage: str, todo: Sequence[PlannedStep], finished: int) -> None:
        self.throughput, self.total, self.count = Throughput(), len(todo), 0
        self.due = time.monotonic() + self.interval
        for reason in _reasons(todo):
            self.write(f"{stage}: {reason}")

    def performed(self, stage: str, manifest: Manifest) -> None:
        self.throughput.add(manifest)
        self.count += 1
        left = (time.monotonic() - self.throughput.started) / self.count * (self.total - self.count)
        parts = (f"{self.count} of {self.total} steps", str(self.throughput), f"{left:.0f} s left")
        self.show(stage, ", ".join(filter(None, parts)))

    def progressed(self, stage: str, figures: dict[str, JSON]) -> None:
        self.show(stage, figures_line(figures))

    def ended(self, stage: str, outcome: Outcome) -> None:
        for warning in outcome.warnings:
            self.write(f"{stage}: warning: {warning}")
        if not outcome.done:
            self.write(f"{stage}: nothing to do, {counted(outcome.skipped, 'step')} finished before")
        else:
            before = f", {counted(outcome.skipped, 'step')} finished before" if outcome.skipped else ""
            self.write(f"{stage}: {counted(outcome.done, 'step')} done in {outcome.seconds:.1f} s{before}")

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
        self.bars = Progress(
            TextColumn("{task.description:>10}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self.bar: TaskID | None = None
        self.bars.start()

    def planned(self, stage: str, todo: Sequence[PlannedStep], finished: int) -> None:
        super().planned(stage, todo, finished)
        if todo:
            self.remove()
            self.bar = self.bars.add_task(stage, total=len(todo), text="")

    def performed(self, stage: str, manifest: Manifest) -> None:
        self.throughput.add(manifest)
        if self.bar is not None:
            self.bars.update(self.bar, advance=1, text=str(self.throughput))

    def progressed(self, stage: str, figures: dict[str, JSON]) -> None:
        if self.bar is None:  # what is no stage
            self.bar = self.bars.add_task(stage, total=None, text="")
        self.bars.update(
            self.bar, completed=figures.get("step"), total=figures.get("steps"), text=figures_line(figures)
        )

    def ended(self, stage: str, outcome: Outcome) -> None:
        self.remove()
        super().ended(stage, outcome)

    def remove(self) -> None:
        if self.bar is not None:
            self.bars.remove_task(self.bar)
            self.bar = None

    def close(self) -> None:
        self.bars.stop()


def _reasons(todo: Sequence[PlannedStep]) -> list[str]:
    """Why steps are done that were done before: each distinct reason once, with how many steps it concerns."""
    counts = Counter(
        f"{state.condition.value}, {state.reason}" for _, state in todo if state.condition is not Condition.UNFINISHED
    )
    return [f"{counted(count, 'step')} {reason}" for reason, count in counts.items()]


def figures_line(figures: Mapping[str, JSON]) -> str:
    """Figures on one line: `step 20, loss 0.6773, memory 1.44 GB`."""
    return ", ".join(
        f"{name.removesuffix('_bytes').replace('_', ' ')} {figure(value, name)}" for name, value in figures.items()
    )
