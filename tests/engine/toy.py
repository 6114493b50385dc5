"""Two small stages: `write` publishes a file for each word, `join` one file of all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.manifest import JSON, Manifest
from sentiment_pipeline.engine.stage import Outcome, PlannedStep, Run, Stage, open_folder, run_stages
from sentiment_pipeline.engine.step import ProgressCallback, Step, outputs_of, upstream_digest
from sentiment_pipeline.errors import PipelineError, SettingsError


@dataclass(frozen=True)
class Words:
    """The settings of both stages."""

    words: tuple[str, ...] = ("one", "two")
    separator: str = " "


@dataclass
class Recorder:
    """An observer that notes what it is told, as one line each."""

    events: list[str] = field(default_factory=list)

    def planned(self, stage: str, todo: Sequence[PlannedStep], finished: int) -> None:
        self.events.append(f"{stage}: {len(todo)} to do, {finished} finished")

    def performed(self, stage: str, manifest: Manifest) -> None:
        self.events.append(f"{stage}: {manifest.step}")

    def progressed(self, stage: str, figures: dict[str, JSON]) -> None:
        self.events.append(f"{stage}: {figures}")

    def ended(self, stage: str, outcome: Outcome) -> None:
        self.events.append(f"{stage}: {outcome.done} done, {outcome.skipped} skipped")


def _write(data_dir: Path, on_progress: ProgressCallback, word: str) -> Mapping[str, JSON]:
    if word == "bad":
        raise PipelineError("bad cannot be written")
    write_text(data_dir / "out" / f"{word}.txt", word)
    return {"letters": len(word)}


def _join(data_dir: Path, on_progress: ProgressCallback, words: tuple[str, ...], separator: str) -> Mapping[str, JSON]:
    on_progress({"step": 1})
    texts = [(data_dir / "out" / f"{word}.txt").read_text() for word in words]
    write_text(data_dir / "joined.txt", separator.join(texts))
    return {}


def _plan_write(run: Run[Words]) -> Iterator[list[Step]]:
    yield [
        Step(f"write/{word}", _write, {"word": word}, {"word": word}, (f"out/{word}.txt",))
        for word in run.settings.words
    ]


def _plan_join(run: Run[Words]) -> Iterator[list[Step]]:
    words, separator = run.settings.words, run.settings.separator
    written = [run.manifest(f"write/{word}") for word in words]
    depends = {"join": {"separator": separator}, "words": upstream_digest(written)}
    arguments = {"words": words, "separator": separator}
    yield [Step("join", _join, arguments, depends, ("joined.txt",), outputs_of(written))]


def _check(run: Run[Words]) -> None:
    if "impossible" in run.settings.words:
        raise SettingsError("impossible cannot be written here")


def _damaged_drafts(data_dir: Path) -> list[str]:
    return [f"{path.name}: damaged" for path in (data_dir / "drafts").glob("damaged*")]


def _delete_damaged_drafts(data_dir: Path) -> None:
    for path in (data_dir / "drafts").glob("damaged*"):
        path.unlink()


WRITE: Stage[Words] = Stage(
    "write", _plan_write, ("out/*.txt",), ("drafts",), inspect=_damaged_drafts, repair=_delete_damaged_drafts
)
JOIN: Stage[Words] = Stage("join", _plan_join, ("joined.txt",), check=_check)
STAGES = (WRITE, JOIN)


def run_toy(data_dir: Path, stages: Sequence[Stage[Words]] = STAGES, **settings: Any) -> list[str]:
    """Run the stages in this process; the events."""
    recorder = Recorder()
    with open_folder(data_dir, stages), ProcessExecutor(1) as executor:
        run_stages(Run(data_dir, Words(**settings)), stages, executor, recorder)
    return recorder.events
