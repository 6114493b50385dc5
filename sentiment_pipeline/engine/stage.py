"""Stages are plans of steps. Running one means: plan, skip what is finished, do the rest, delete what is obsolete.

The caller chooses only how independent steps are executed (`Execute`) and who watches (`Observer`). Everything else is
shared by the command line and the Prefect flows.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from sentiment_pipeline import layout
from sentiment_pipeline.engine import manifest as manifests
from sentiment_pipeline.engine.files import remove_leftovers
from sentiment_pipeline.engine.lock import locked, was_locked
from sentiment_pipeline.engine.manifest import JSON, Manifest
from sentiment_pipeline.engine.step import ProgressCallback, Step, StepState, difference, step_state
from sentiment_pipeline.errors import PipelineError

__all__ = [
    "Execute",
    "Observer",
    "Outcome",
    "PlannedStep",
    "Run",
    "SettingsT",
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
    """The data folder and the settings, from which every stage makes its plan."""

    data_dir: Path
    settings: SettingsT

    def manifest(self, step: str) -> Manifest:
        """The manifest of a finished step.

        Raises:
            PipelineError: the step has no manifest, or a damaged one; names it.
        """
        found = manifests.read(self.data_dir, step)
        if found is None:
            raise PipelineError(f"{step} is not finished in {self.data_dir}; run the stages before this one first")
        return found

    def intact_manifest(self, step: str, *names: str) -> Manifest:
        """The manifest of a finished step, after checking its outputs `names` (default: all) against it.

        For a stage that can run without the stages before it, which would check their own outputs.

        Raises:
            PipelineError: the step is not finished, or an output is damaged or missing; names it.
        """
        manifest = self.manifest(step)
        for name in names or manifest.outputs:
            if fault := manifest.outputs[name].damage(self.data_dir / name):
                raise PipelineError(f"{self.data_dir / name}: {fault}; run the stages before this one again")
        return manifest

    def require_same(self, step: str, **groups: Mapping[str, JSON]) -> None:
        """Require that a finished step was made with the present settings, before something is built on it.

        For a stage that can run without the stages before it. A step without a manifest passes.

        Args:
            groups: the present values of groups of settings, by their keys in the step's `depends`.

        Raises:
            PipelineError: a value differs; names it.
        """
        if (found := manifests.read(self.data_dir, step)) is None:
            return
        for group, values in groups.items():
            before = found.depends.get(group, {})
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
        name: also the first part of the names of its steps.
        plan: yields lists of independent steps. Steps of a later list may depend on and read what earlier lists
            published, so the generator is only advanced when those are finished.
        publishes: glob patterns, relative to the data folder, of every file that the stage may publish with any
            settings. A file that matches one and is no output of the present plan is obsolete, and deleted.
        keeps: folders, relative to the data folder, of files without a manifest, such as checkpoints.
        check: called before a run begins; raises SettingsError if this machine cannot do what the settings ask for,
            PipelineError if something in the data folder stands in the way.
        inspect: yields a line for each damaged file that no manifest describes.
        repair: called before a run begins, with the folder locked; deletes those files, or puts right what a killed
            process has left, so that the run can continue.
    """

    name: str
    plan: Callable[[Run[SettingsT]], Iterator[list[Step]]]
    publishes: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    check: Callable[[Run[SettingsT]], object] = _nothing
    inspect: Callable[[Path], Iterable[str]] = _nothing
    repair: Callable[[Path], object] = _nothing

    def files(self, data_dir: Path) -> Iterator[Path]:
        """The files in the data folder that match `publishes`."""
        return (path for pattern in self.publishes for path in data_dir.glob(pattern) if path.is_file())


@dataclass(frozen=True)
class Outcome:
    """How many steps of a stage were done and skipped, the seconds it all took, and the warnings of all its steps."""

    done: int
    skipped: int
    seconds: float
    warnings: tuple[str, ...] = ()


class Observer(Protocol):
    """Watches a run: progress bars, log lines, the artifacts of a Prefect flow run."""

    def planned(self, stage: str, todo: Sequence[PlannedStep], finished: int) -> None:
        """The steps `todo` of the stage are about to be done; `finished` more are skipped."""

    def performed(self, stage: str, manifest: Manifest) -> None:
        """A step is done."""

    def progressed(self, stage: str, figures: dict[str, JSON]) -> None:
        """A step in this process, such as training, reports figures."""

    def ended(self, stage: str, outcome: Outcome) -> None:
        """The stage is finished."""


@contextmanager
def open_folder(data_dir: Path, stages: Iterable[Stage[Any]]) -> Iterator[None]:
    """Lock a data folder for one run and delete what killed runs of `stages` left behind: temporary and damaged files.

    Raises:
        PipelineError: another run holds the folder, or it holds files that a run would replace and none has made.
    """
    _refuse_foreign_files(data_dir, stages)
    with locked(data_dir):
        remove_leftovers(data_dir, layout.MANIFESTS, *_written_folders(stages))
        for stage in stages:
            stage.repair(data_dir)
        yield


def run_stages(run: Run[SettingsT], stages: Sequence[Stage[SettingsT]], execute: Execute, observer: Observer) -> None:
    """Run `stages` in order, inside `open_folder`.

    Raises:
        SettingsError: this machine cannot do what the settings ask for.
        PipelineError: a step failed.
    """
    check_stages(run, stages)
    for stage in stages:
        run_stage(run, stage, execute, observer)


def check_stages(run: Run[SettingsT], stages: Iterable[Stage[SettingsT]]) -> None:
    """Fail before any work if a stage cannot do on this machine what the settings ask for.

    Raises:
        SettingsError: as the stages' `check`.
    """
    for stage in stages:
        stage.check(run)


def run_stage(run: Run[SettingsT], stage: Stage[SettingsT], execute: Execute, observer: Observer) -> Outcome:
    """Do the unfinished steps of one stage, then delete the files and manifests that earlier settings left.

    Raises:
        PipelineError: a step failed; what was done stays done.
    """
    started, done, kept, warnings = time.monotonic(), 0, list[Step](), list[str]()
    for steps in stage.plan(run):
        states = list(zip(steps, _states(run.data_dir, steps), strict=True))
        todo = [(step, state) for step, state in states if not state.finished]
        observer.planned(stage.name, todo, len(steps) - len(todo))
        if todo:
            for manifest in execute(
                [step for step, _ in todo], run.data_dir, lambda figures: observer.progressed(stage.name, dict(figures))
            ):
                observer.performed(stage.name, manifest)
                warnings += manifest.warnings
        warnings += [warning for _, state in states for warning in state.warnings]
        done += len(todo)
        kept += steps
    _delete_obsolete(run.data_dir, stage, kept)
    outcome = Outcome(done, len(kept) - done, time.monotonic() - started, tuple(warnings))
    observer.ended(stage.name, outcome)
    return outcome


def planned_states(run: Run[SettingsT], stages: Iterable[Stage[SettingsT]]) -> Iterator[tuple[str, list[PlannedStep]]]:
    """The steps of each stage with their states, up to the first list of steps that is not finished.

    Later steps cannot be planned yet, because they depend on what those will publish.
    """
    for stage in stages:
        found, finished = list[PlannedStep](), True
        for steps in stage.plan(run):
            found += zip(steps, _states(run.data_dir, steps), strict=True)
            finished = all(state.finished for _, state in found)
            if not finished:
                break
        yield stage.name, found
        if not finished:
            return


def _refuse_foreign_files(data_dir: Path, stages: Iterable[Stage[Any]]) -> None:
    """Refuse a folder that no run has used yet, if files of the user's have the names of those that runs publish."""
    if was_locked(data_dir) or (data_dir / layout.MANIFESTS).is_dir():
        return
    names = {path.relative_to(data_dir).as_posix() for stage in stages for path in stage.files(data_dir)}
    names |= {name for name in (layout.LOCK, layout.SETTINGS) if (data_dir / name).exists()}
    if names:
        raise PipelineError(
            f"{data_dir} holds files that no run has made and that this one would replace: {', '.join(sorted(names))}; "
            "choose another data folder, or move them away"
        )


def _written_folders(stages: Iterable[Stage[Any]]) -> list[str]:
    """The names at the top of the data folder that the stages write to."""
    paths = (path for stage in stages for path in (*stage.publishes, *stage.keeps))
    return sorted({path.partition("/")[0] for path in paths})


def _states(data_dir: Path, steps: Sequence[Step]) -> list[StepState]:
    """The state of each step."""
    with ThreadPoolExecutor() as threads:  # hashing releases the GIL
        return list(threads.map(lambda step: step_state(data_dir, step), steps))


def _delete_obsolete(data_dir: Path, stage: Stage[Any], kept: Sequence[Step]) -> None:
    """Delete the files and manifests of the stage that belong to no step of the present plan."""
    known = {data_dir / name for step in kept for name in step.outputs}
    known |= {data_dir / layout.manifest(step.name) for step in kept}
    steps = manifests.recorded_steps(data_dir, stage.name) if stage.publishes else ()
    for path in (*stage.files(data_dir), *(data_dir / layout.manifest(step) for step in steps)):
        if path not in known:
            path.unlink()
            with suppress(OSError):  # it holds other files
                path.parent.rmdir()
