"""Stages: plans of steps, and what running one means: plan, skip what is finished, do the rest, sweep up.

Who runs a stage decides only how independent steps are executed (`Execute`) and who watches (`Observer`); the
command line and the Prefect flows share everything else.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from sentiment_pipeline import layout
from sentiment_pipeline.engine import manifest as manifests
from sentiment_pipeline.engine.files import remove_leftovers
from sentiment_pipeline.engine.lock import locked
from sentiment_pipeline.engine.manifest import JSON, Manifest
from sentiment_pipeline.engine.step import ProgressCallback, Step, StepState, difference, step_state
from sentiment_pipeline.errors import PipelineError

__all__ = [
    "Execute",
    "Observer",
    "Outcome",
    "Run",
    "Stage",
    "check_stages",
    "open_folder",
    "planned_states",
    "run_stage",
    "run_stages",
]

SettingsT = TypeVar("SettingsT")
Execute = Callable[[Sequence[Step], Path, ProgressCallback], Iterable[Manifest]]
PlannedStep = tuple[Step, StepState]


@dataclass(frozen=True)
class Run(Generic[SettingsT]):
    """What every plan is made from: the data folder and the settings."""

    data_dir: Path
    settings: SettingsT

    def manifest(self, step: str) -> Manifest:
        """The manifest of a finished step.

        Raises:
            PipelineError: the step is not finished; names it.
        """
        found = manifests.read(self.data_dir, step)
        if found is None:
            raise PipelineError(f"{step} is not finished in {self.data_dir}; run the stages before this one first")
        return found

    def intact_manifest(self, step: str, *names: str) -> Manifest:
        """The manifest of a finished step whose outputs `names` (default: all) have the bytes it records.

        For a stage that may run without the stages before it, which check their own outputs.

        Raises:
            PipelineError: the step is not finished, or an output is damaged or missing; names it.
        """
        manifest = self.manifest(step)
        for name in names or manifest.outputs:
            if fault := manifest.outputs[name].damage(self.data_dir / name):
                raise PipelineError(f"{self.data_dir / name}: {fault}; run the stages before this one again")
        return manifest

    def require_same(self, step: str, **groups: Mapping[str, JSON]) -> None:
        """Refuse other settings than those that a finished step was made with, before something is built on it.

        For a stage that may run without the stages before it; a step whose manifest is not there is not asked.

        Args:
            groups: the present values of groups of settings, by the names they have in the step's `depends`.

        Raises:
            PipelineError: a value differs; names it.
        """
        if (found := manifests.read(self.data_dir, step)) is None:
            return
        for group, values in groups.items():
            before = found.depends[group]
            if changes := difference({group: before}, {group: {name: values.get(name) for name in before}}):
                raise PipelineError(
                    f"{step} is finished with other settings ({changes}); give those, or run the "
                    "stages before this one again, with --train and --test"
                )


def _nothing(folder: Any) -> Iterator[str]:
    return iter(())


@dataclass(frozen=True)
class Stage(Generic[SettingsT]):
    """A named part of the pipeline.

    Attributes:
        plan: yields lists of independent steps; what it yields later may read what earlier lists published.
        publishes: patterns, relative to the data folder, of all files that the stage's steps may publish, with any
            settings; what fits one and belongs to no step of the present ones is left from earlier settings.
        keeps: folders, relative to the data folder, of files that no manifest vouches for, such as checkpoints.
        check: called before any stage of a run begins; raises where this machine cannot do what the settings ask.
        inspect: a line for each damaged file in `keeps` of the data folder that it is given.
        repair: deletes those, so that a run goes on without them; called when a folder is opened for a run.
    """

    name: str
    plan: Callable[[Run[SettingsT]], Iterator[list[Step]]]
    publishes: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    check: Callable[[Run[SettingsT]], object] = _nothing
    inspect: Callable[[Path], Iterable[str]] = _nothing
    repair: Callable[[Path], object] = _nothing

    def files(self, data_dir: Path) -> Iterator[Path]:
        """The files in the folder that the stage may have published."""
        return (path for pattern in self.publishes for path in data_dir.glob(pattern) if path.is_file())


@dataclass(frozen=True)
class Outcome:
    """How many steps of a stage were done and skipped, and the seconds it took."""

    done: int
    skipped: int
    seconds: float


class Observer(Protocol):
    """Watches a run: a progress bar, log lines, a Prefect flow run."""

    def planned(self, stage: str, todo: Sequence[PlannedStep], finished: int) -> None:
        """The stage is going to do the steps `todo`; `finished` more steps are skipped."""

    def performed(self, stage: str, manifest: Manifest) -> None:
        """One step has ended well."""

    def progressed(self, stage: str, figures: dict[str, JSON]) -> None:
        """Figures from inside a step of this process, for example training."""

    def ended(self, stage: str, outcome: Outcome) -> None:
        """The stage is finished."""


@contextmanager
def open_folder(data_dir: Path, stages: Iterable[Stage[Any]]) -> Iterator[None]:
    """Hold a data folder for one run, after deleting what killed or damaged runs of `stages` left in it.

    Raises:
        PipelineError: another run holds the folder.
    """
    with locked(data_dir):
        remove_leftovers(data_dir, layout.MANIFESTS, *_written_folders(stages))
        for stage in stages:
            stage.repair(data_dir)
        yield


def run_stages(run: Run[SettingsT], stages: Sequence[Stage[SettingsT]], execute: Execute, observer: Observer) -> None:
    """Run `stages` in order, in a folder that is held by `open_folder`.

    Raises:
        PipelineError: a stage cannot be done here, or a step failed.
    """
    check_stages(run, stages)
    for stage in stages:
        run_stage(run, stage, execute, observer)


def check_stages(run: Run[SettingsT], stages: Iterable[Stage[SettingsT]]) -> None:
    """Refuse at once what some later stage cannot do on this machine.

    Raises:
        PipelineError: as the stages' own checks.
    """
    for stage in stages:
        stage.check(run)


def run_stage(run: Run[SettingsT], stage: Stage[SettingsT], execute: Execute, observer: Observer) -> Outcome:
    """Do the unfinished steps of one stage, then delete what earlier settings left in its folders."""
    started, done, kept = time.monotonic(), 0, list[Step]()
    for steps in stage.plan(run):
        states = zip(steps, _states(run.data_dir, steps), strict=True)
        todo = [(step, state) for step, state in states if not state.finished]
        observer.planned(stage.name, todo, len(steps) - len(todo))
        if todo:
            for manifest in execute(
                [step for step, _ in todo], run.data_dir, lambda figures: observer.progressed(stage.name, dict(figures))
            ):
                observer.performed(stage.name, manifest)
        done += len(todo)
        kept += steps
    _sweep(run.data_dir, stage, kept)
    outcome = Outcome(done, len(kept) - done, time.monotonic() - started)
    observer.ended(stage.name, outcome)
    return outcome


def planned_states(run: Run[SettingsT], stages: Iterable[Stage[SettingsT]]) -> Iterator[tuple[str, list[PlannedStep]]]:
    """Each stage's steps with their states, as far as they can be planned before the unfinished ones are done."""
    for stage in stages:
        found = list[PlannedStep]()
        for steps in stage.plan(run):
            found += zip(steps, _states(run.data_dir, steps), strict=True)
            if not all(state.finished for _, state in found):
                break
        yield stage.name, found
        if not all(state.finished for _, state in found):
            return


def _written_folders(stages: Iterable[Stage[Any]]) -> list[str]:
    """The top-level folders that the stages write to."""
    paths = (path for stage in stages for path in (*stage.publishes, *stage.keeps))
    return sorted({path.partition("/")[0] for path in paths})


def _states(data_dir: Path, steps: Sequence[Step]) -> list[StepState]:
    """The state of each step; hashing releases the GIL, so threads hash side by side."""
    with ThreadPoolExecutor() as threads:
        return list(threads.map(lambda step: step_state(data_dir, step), steps))


def _sweep(data_dir: Path, stage: Stage[Any], kept: Sequence[Step]) -> None:
    """Delete what the stage published, and its manifests, that belong to no step of the present plan."""
    known = {data_dir / name for step in kept for name in step.outputs}
    known |= {data_dir / layout.manifest(step.name) for step in kept}
    records = (data_dir / layout.MANIFESTS / stage.name).rglob("*.json") if stage.publishes else ()
    for path in (*stage.files(data_dir), *records):
        if path not in known:
            path.unlink()
