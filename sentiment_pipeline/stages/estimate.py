"""What a run would do, about how long that takes and how much disk it needs: `run --dry-run`.

Nothing is assumed: the pipeline itself runs over the first reviews of both files, in a temporary folder. What prepares
is measured once and grows in proportion to the reviews. Training and evaluation have costs that do not grow; they are
measured twice, and the difference tells what a review costs.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryDirectory

from sentiment_pipeline import layout
from sentiment_pipeline.engine.manifest import JSON, Manifest, recorded_steps
from sentiment_pipeline.engine.stage import Outcome, PlannedStep, Run, Stage, planned_states
from sentiment_pipeline.engine.workers import available_cores
from sentiment_pipeline.inputs.columnar import Table
from sentiment_pipeline.inputs.compression import open_compressed
from sentiment_pipeline.inputs.source import Source
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import ingest, vocabulary
from sentiment_pipeline.stages.parts import parts
from sentiment_pipeline.stages.pipeline import PREPARE, STAGES, run_in_folder
from sentiment_pipeline.text.config import FROZEN

__all__ = ["StageEstimate", "estimate"]

_PREPARED = 20_000  # lines of each file over which preparing is measured
_TRAINED = 500, 500, 2_000  # training lines over which the rest is measured, the first time to warm up
_TESTED = 4  # times as many test lines
_COPIES = {"train": 7, "publish": 1}  # of the word vectors on disk: weights, and two checkpoints with Adam's moments
_HEAD = 4 << 20  # bytes of text from which the ratio of compression is measured
_OF_RANGE = re.compile(r"/(train|test)/[^/]+/part-\d+$")  # the end of the name of a step over one range of an input
_OF_INPUT = re.compile(r"/(train|test)/[^/]+/(part-\d+|whole)$")  # the end of the name of a step over one input


@dataclass(frozen=True)
class StageEstimate:
    """What is to be done of a stage, about.

    Attributes:
        stage: its name.
        steps: number of steps to do.
        seconds: how long they take on this machine.
        bytes: what they add to the disk.
    """

    stage: str
    steps: int
    seconds: float
    bytes: int


def estimate(settings: Settings) -> Iterator[StageEstimate]:
    """Yield the estimate of each stage, in order.

    Raises:
        SettingsError: an input is not given, or this machine cannot do what the settings ask for.
        PipelineError: an input is not readable, or the first reviews of the inputs are not fit to train on.
    """
    unfinished = _unfinished(Run(settings.data_dir, settings))
    if not any(unfinished.values()):
        yield from (StageEstimate(name, 0, 0.0, 0) for name in unfinished)
        return
    with TemporaryDirectory(prefix="dry-run-") as scratch:
        prepared = _trial(settings, PREPARE, Path(scratch, "prepared"), _PREPARED)
        _, small, large = (
            _trial(settings, STAGES, Path(scratch, str(number)), lines) for number, lines in enumerate(_TRAINED)
        )
        inputs = {name: _Input.of(name, settings, prepared) for name in layout.SOURCES}
        for stage in STAGES:
            whole = _prepared(stage, prepared, inputs) if stage in PREPARE else _grown(stage, small, large, inputs)
            part, more = unfinished[stage.name], _COPIES.get(stage.name, 0) * _words_bytes(prepared, large)
            yield StageEstimate(
                stage.name, round(part * whole.steps), part * whole.seconds, round(part * (whole.bytes + more))
            )


def _unfinished(run: Run[Settings]) -> dict[str, float]:
    """The fraction of the steps of each stage that is to be done, as far as that is known; otherwise 1."""
    found = dict.fromkeys((stage.name for stage in STAGES), 1.0)
    for name, states in planned_states(run, STAGES):
        found[name] = sum(not state.finished for _, state in states) / max(1, len(states))
    return found


@dataclass(frozen=True)
class _Input:
    """The files of an input.

    Attributes:
        ranges: number of its ranges that are read.
        reviews: number of its reviews that are read.
        growth: how many times as much is read as in the trial.
        prepared: number of reviews that were prepared in the trial.
    """

    ranges: int
    reviews: int
    growth: float
    prepared: int

    @classmethod
    def of(cls, name: str, settings: Settings, trial: Run[Settings]) -> "_Input":
        files, found, read = ingest.input_files(settings, name), parts(trial, name), 0.0
        lines = sum(trial.manifest(step).facts["lines"] for step in {part.step for part in found})
        for file in files:
            of_file = [part for part in found if part.file == file.key]
            text = sum(part.bytes for part in of_file)
            read += file.source.bytes * _fraction_read(file.source, settings.ingest.shard_bytes, len(of_file), text)
        growth = sum(file.source.bytes for file in files) / read
        limit = getattr(settings.ingest, f"{name}_lines") or math.inf
        growth = min(growth, max(1.0, limit / lines))
        ranges = min(sum(len(file.digests) for file in files), math.ceil(growth * len(found)))
        return cls(ranges, round(min(growth * lines, limit)), growth, sum(part.reviews for part in found))


def _fraction_read(source: Source, size: int, ranges: int, text: int) -> float:
    """The fraction of a file that its first ranges are, which hold `text` bytes of text."""
    if isinstance(source.format, Table):
        return ranges / source.range_count(size)
    if source.splits or not source.compression:
        return min(1.0, ranges * size / source.bytes)
    with source.path.open("rb") as file:
        stream = open_compressed(file, source.compression, source.path)
        head = len(BufferedReader(stream).read(_HEAD))
        return min(1.0, text * stream.position / max(1, head) / source.bytes)


def _prepared(stage: Stage[Settings], run: Run[Settings], inputs: Mapping[str, _Input]) -> StageEstimate:
    """A stage whose steps take time in proportion to the reviews."""
    steps, seconds, size = 0, 0.0, 0.0
    everything = sum(each.reviews for each in inputs.values()) / sum(each.prepared for each in inputs.values())
    for manifest in _manifests(stage, run):
        found = _OF_INPUT.search(manifest.step)
        of = inputs[found[1]] if found else None
        growth = everything if of is None else of.growth if stage is PREPARE[0] else of.reviews / max(1, of.prepared)
        steps += 1
        seconds += growth * manifest.facts["seconds"]
        size += growth * _bytes(manifest)
    ranges = [found[1] for each in _manifests(stage, run) if (found := _OF_RANGE.search(each.step))]
    steps += sum(inputs[name].ranges for name in {*ranges}) - len(ranges)
    workers = run.settings.execution.workers or available_cores()
    return StageEstimate(stage.name, steps, seconds / max(1, min(workers, steps)), round(size))


def _grown(
    stage: Stage[Settings], small: Run[Settings], large: Run[Settings], inputs: Mapping[str, _Input]
) -> StageEstimate:
    """A stage whose time is a constant and so much a review."""
    source = "train" if stage.name == "train" else "test"
    counts = [sum(part.reviews for part in parts(run, source)) for run in (small, large)]
    times = [sum(each.facts["seconds"] for each in _manifests(stage, run)) for run in (small, large)]
    slope = max(0.0, times[1] - times[0]) / max(1, counts[1] - counts[0])
    seconds = times[1] + slope * (inputs[source].reviews - counts[1]) if stage.name != "publish" else times[1]
    kept = sum(
        path.stat().st_size for name in stage.keeps for path in (large.data_dir / name).rglob("*") if path.is_file()
    )
    manifests = list(_manifests(stage, large))
    return StageEstimate(stage.name, len(manifests), seconds, kept + sum(map(_bytes, manifests)))


def _words_bytes(prepared: Run[Settings], trained: Run[Settings]) -> int:
    """The size of the vectors of words that were found while preparing and not in the small trial of training."""
    sizes = [run.manifest(vocabulary.NAME).facts["size"] for run in (prepared, trained)]
    return int(sizes[0] - sizes[1]) * prepared.settings.model.embedding * 4


def _trial(settings: Settings, stages: Sequence[Stage[Settings]], data_dir: Path, lines: int) -> Run[Settings]:
    """Run stages over the first lines of both files."""
    limits = {"train_lines": lines, "test_lines": lines if stages is PREPARE else _TESTED * lines}
    few = {name: min(limit, getattr(settings.ingest, name) or limit) for name, limit in limits.items()}
    words = settings.vocabulary
    if words.source == FROZEN:
        words = replace(words, source=str(settings.data_dir))  # the folder has it under the name of a model folder's
    trial = replace(
        settings,
        data_dir=data_dir,
        ingest=replace(settings.ingest, **few),
        quality=replace(settings.quality, leakage="warn", duplicates="warn", faults="warn"),
        vocabulary=words,
        training=replace(settings.training, start_from="", replay=1.0),
    )
    run_in_folder(stages, trial, _Silent())
    return Run(data_dir, trial)


class _Silent:
    """An observer that shows nothing."""

    def planned(self, stage: str, todo: Sequence[PlannedStep], finished: int) -> None: ...
    def performed(self, stage: str, manifest: Manifest) -> None: ...
    def progressed(self, stage: str, figures: dict[str, JSON]) -> None: ...
    def ended(self, stage: str, outcome: Outcome) -> None: ...


def _manifests(stage: Stage[Settings], run: Run[Settings]) -> Iterator[Manifest]:
    return map(run.manifest, recorded_steps(run.data_dir, stage.name))


def _bytes(manifest: Manifest) -> int:
    return sum(output.bytes for output in manifest.outputs.values())
