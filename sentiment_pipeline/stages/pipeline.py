"""All stages in order, and what running one means: plan, skip what is finished, do the rest, sweep up.

Who runs it decides only how independent steps are executed (`Execute`) and who watches (`Observer`); the
command line and the Prefect flows share everything else.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sentiment_pipeline.settings import Settings, remember
from sentiment_pipeline.stages import encode, evaluate, ingest, publish, tokenize, train, vocabulary
from sentiment_pipeline.stages.step import Report, Run, Stage, State, Step, state_of
from sentiment_pipeline.storage.files import remove_leftovers
from sentiment_pipeline.storage.lock import locked
from sentiment_pipeline.storage.manifest import FOLDER, JSON, Manifest, manifest_path
from sentiment_pipeline.training.checkpoint import discard_damaged

STAGES = (
    Stage("ingest", ingest.plan, ingest.PUBLISHES),
    Stage("tokenize", tokenize.plan, tokenize.PUBLISHES),
    Stage("vocabulary", vocabulary.plan, vocabulary.PUBLISHES),
    Stage("encode", encode.plan, encode.PUBLISHES),
    Stage("train", train.plan, train.PUBLISHES, train.check),
    Stage("evaluate", evaluate.plan, evaluate.PUBLISHES),
    Stage("publish", publish.plan, publish.PUBLISHES),
)
WRITTEN = (FOLDER, train.CHECKPOINTS, *sorted({each.partition("/")[0] for stage in STAGES for each in stage.publishes}))
PREPARE, TRAIN, EVALUATE = STAGES[:4], STAGES[4:5], STAGES[5:]

Execute = Callable[[Sequence[Step], Path, Report], Iterable[Manifest]]


class Observer(Protocol):
    """Watches a run: a progress bar, log lines, a Prefect flow run."""

    def planned(self, stage: str, todo: Sequence[tuple[Step, State]], finished: int) -> None:
        """The stage goes on with the steps `todo`; `finished` more steps are skipped."""

    def performed(self, stage: str, manifest: Manifest) -> None:
        """One step has ended well."""

    def reported(self, stage: str, values: dict[str, JSON]) -> None:
        """Figures from inside a step of this process, for example training."""

    def ended(self, stage: str, outcome: "Outcome") -> None:
        """The stage is finished."""


@dataclass(frozen=True)
class Outcome:
    """What running a stage came to: how many steps were done and skipped, and the seconds it took."""

    done: int
    skipped: int
    seconds: float


@contextmanager
def opened(settings: Settings) -> Iterator[Run]:
    """The data folder of `settings`, held for one run and rid of what killed or damaged runs left in it.

    Raises:
        PipelineError: another run holds the folder.
    """
    with locked(settings.data_dir):
        remove_leftovers(settings.data_dir, *WRITTEN)
        discard_damaged(settings.data_dir / train.CHECKPOINTS)
        remember(settings)
        yield Run(settings.data_dir, settings)


def run_stages(run: Run, stages: Sequence[Stage], execute: Execute, observer: Observer) -> None:
    """Run `stages` in order, in a folder that is `opened`."""
    check(run, stages)
    for stage in stages:
        run_stage(run, stage, execute, observer)


def check(run: Run, stages: Iterable[Stage]) -> None:
    """Refuse at once what some later stage cannot do on this machine.

    Raises:
        PipelineError: as the stages' own checks.
    """
    for stage in stages:
        stage.check(run)


def run_stage(run: Run, stage: Stage, execute: Execute, observer: Observer) -> Outcome:
    """Do what is not finished of one stage, then delete what earlier settings left in its folders."""
    started, done, kept = time.monotonic(), 0, list[Step]()
    for steps in stage.plan(run):
        states = list(zip(steps, states_of(run.data_dir, steps), strict=True))
        todo = [(step, state) for step, state in states if not state.finished]
        observer.planned(stage.name, todo, len(steps) - len(todo))
        if todo:
            for manifest in execute([step for step, _ in todo], run.data_dir,
                                    lambda values: observer.reported(stage.name, dict(values))):
                observer.performed(stage.name, manifest)
        done += len(todo)
        kept += steps
    sweep(run.data_dir, stage, kept)
    outcome = Outcome(done, len(kept) - done, time.monotonic() - started)
    observer.ended(stage.name, outcome)
    return outcome


def states_of(data_dir: Path, steps: Sequence[Step]) -> list[State]:
    """The state of each step; hashing is spread over threads, which it lets run side by side."""
    with ThreadPoolExecutor() as threads:
        return list(threads.map(lambda step: state_of(data_dir, step), steps))


def conditions(run: Run, stages: Iterable[Stage] = STAGES) -> Iterator[tuple[str, list[tuple[Step, State]]]]:
    """Each stage's steps with their states, as far as they can be planned before the unfinished ones are done."""
    for stage in stages:
        found = list[tuple[Step, State]]()
        for steps in stage.plan(run):
            found += zip(steps, states_of(run.data_dir, steps), strict=True)
            if not all(state.finished for _, state in found):
                break
        yield stage.name, found
        if not all(state.finished for _, state in found):
            return


def sweep(data_dir: Path, stage: Stage, kept: Sequence[Step]) -> None:
    """Delete what the stage published, and its manifests, that belong to no step of the present plan."""
    known = {data_dir / name for step in kept for name in step.outputs}
    known |= {manifest_path(data_dir, step.name) for step in kept}
    records = (data_dir / FOLDER / stage.name).rglob("*.json") if stage.publishes else ()
    for path in (*stage.files(data_dir), *records):
        if path not in known:
            path.unlink()
