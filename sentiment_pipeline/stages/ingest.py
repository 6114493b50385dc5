"""Ingest: read the files of both inputs, a range a step, into Parquet shards of cleaned reviews.

A file that can only be read from its beginning on, such as a .gz, is one step, which makes the shards of all ranges.
The shards of a file lie in a folder of its own, named by its content. So files are recognized wherever they lie and
in whatever order they are given, and further files or lines cost their own shards and no others.

With a limit on lines, ranges are read in waves: first one range, to see how many lines a range holds, then as many as
the limit is likely to need, until it is reached. A shard holds all reviews of its range; `parts` says how many of them
are within the limit.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.manifest import JSON, Manifest, read
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step
from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.inputs.input_file import InputFile, inspect_files
from sentiment_pipeline.inputs.source import Source
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages.ingest_total import ReadFile, total_step
from sentiment_pipeline.stages.parts import total_name
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.reviews import write_reviews

__all__ = ["STAGE", "input_files", "require_ingested"]

_VERSION = 6


def input_files(settings: Settings, source: str) -> list[InputFile]:
    """The files of an input; reads each of them for its hashes.

    Raises:
        SettingsError: none is given.
        PipelineError: one is missing or not readable as reviews.
    """
    given: tuple[Path, ...] = getattr(settings, source)
    if not given:
        raise SettingsError(f"no {source} file is given; give one with --{source} FILE")
    return inspect_files(given, settings.input, settings.ingest.shard_bytes)


def require_ingested(run: Run[Settings]) -> None:
    """Require that what is ingested was read with the present settings.

    Raises:
        PipelineError: a value differs; names it.
    """
    settings = run.settings
    groups = {name: asdict(getattr(settings, name)) for name in ("ingest", "input", "cleaning")}
    for source in layout.SOURCES:
        run.require_same(total_name(source), **groups)
        if total := read(run.data_dir, total_name(source)):
            run.require_same(total.facts["parts"][0]["step"], **groups)


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield the steps that read ranges of all files, in waves, then a step for each input that adds them up.

    `ingest/SOURCE/FILE/part-N` depends on the bytes that it reads, how they are to be understood, and `cleaning`. It
    publishes the range's cleaned reviews and its rejected lines. `ingest/SOURCE/FILE/whole` does so for all ranges of a
    file that cannot be split, up to the limit on lines, on which it depends too.

    `ingest/SOURCE/total` depends on all ranges, the names of the files, the limit on lines and the limits on rejected
    lines. It reads the rejected lines of the ranges and publishes them as one table. Its facts describe all parts.

    Raises:
        SettingsError: an input is not given, or a file is in both.
        PipelineError: a file is missing or not readable as reviews.
    """
    inputs = [_Input(run, source, input_files(run.settings, source)) for source in layout.SOURCES]
    _refuse_same(*(each.files for each in inputs))
    for waves in zip_longest(*(each.waves() for each in inputs), fillvalue=()):
        yield list(chain(*waves))
    yield [total_step(run, each.name, list(each.read_files())) for each in inputs]


def _refuse_same(train: Sequence[InputFile], test: Sequence[InputFile]) -> None:
    """Refuse a test file that is a training file too."""
    trained = {each.source.sha256: each.source.path for each in train}
    for path, sha256 in ((each.source.path, each.source.sha256) for each in test):
        if sha256 in trained:
            raise SettingsError(
                f"{trained[sha256]} and {path} are the same file, so the test would only show what the model has "
                "learned by heart; give other reviews to test on"
            )


@dataclass(frozen=True)
class _Input:
    """The files of an input, and the steps over them."""

    run: Run[Settings]
    name: str
    files: Sequence[InputFile]

    @property
    def limit(self) -> int:
        """Number of lines to read; 0: all."""
        limit: int = getattr(self.run.settings.ingest, f"{self.name}_lines")
        return limit

    def waves(self) -> Iterator[Sequence[Step]]:
        """The steps over ranges, in waves: without a limit all at once, otherwise one file after the other."""
        if not self.limit:
            yield [step for file in self.files for step in self._steps(file)]
            return
        left = self.limit
        for file in self.files:
            if left <= 0:
                return
            for wave in self._waves_of_file(file, left):
                yield wave
                left -= sum(self.run.manifest(step.name).facts["lines"] for step in wave)

    def _waves_of_file(self, file: InputFile, limit: int) -> Iterator[Sequence[Step]]:
        """The steps for the first lines of a file; the size of a wave follows from what the earlier ones found."""
        steps = self._steps(file, limit)
        start = lines = 0
        while start < len(steps) and lines < limit:
            expected = -(-start * limit // lines) if lines else start + 1
            end = min(max(expected, start + 1), len(steps))
            yield steps[start:end]
            lines += sum(self.run.manifest(step.name).facts["lines"] for step in steps[start:end])
            start = end

    def _steps(self, file: InputFile, limit: int = 0) -> list[Step]:
        """The steps that read a file: one for each range, or one for all of them up to the limit on lines."""
        count = len(file.digests)
        if not file.source.splits:
            depends = {**self._depends(file), "bytes": file.source.sha256, "limit": limit}
            return [self._step(file, f"ingest/{self.name}/{file.key}/whole", range(count), depends, limit)]
        return [
            self._step(
                file,
                f"ingest/{layout.part(self.name, file.key, index)}",
                range(index, index + 1),
                {**self._depends(file), "bytes": digest, "range": index},
            )
            for index, digest in enumerate(file.digests)
        ]

    def _depends(self, file: InputFile) -> dict[str, JSON]:
        source, settings = file.source, self.run.settings
        return {
            "version": _VERSION,
            "ingest": {"shard_bytes": settings.ingest.shard_bytes},
            "input": asdict(settings.input),
            "cleaning": asdict(settings.cleaning),
            "read_as": f"{source.compression} {type(source.format).__name__} {source.columns} {source.labels}",
        }

    def _step(self, file: InputFile, name: str, ranges: range, depends: Mapping[str, JSON], limit: int = 0) -> Step:
        """A step that reads some ranges of a file."""
        places = [(self.name, file.key, index) for index in ranges]
        return Step(
            name=name,
            work=_ingest_ranges,
            arguments={
                "source": file.source,
                "ranges": ranges,
                "size": self.run.settings.ingest.shard_bytes,
                "cleaning": self.run.settings.cleaning,
                "folder": (self.name, file.key),
                "limit": limit,
            },
            depends=depends,
            outputs=tuple(path(*place) for place in places for path in (layout.reviews, layout.rejected_range)),
            about=f"{file.name} is new or has changed",
        )

    def read_files(self) -> Iterator[ReadFile]:
        """The files with what was found in their ranges, up to the limit on lines."""
        left = self.limit
        for file in self.files:
            if self.limit and left <= 0:
                return
            ranges = list(self._ranges_of(file, left))
            left -= sum(found["lines"] for _, found in ranges)
            yield file, ranges

    def _ranges_of(self, file: InputFile, limit: int) -> Iterator[tuple[Manifest, dict[str, int]]]:
        """For each range of a file, up to the limit on lines, the manifest of its step and what that found there."""
        lines = 0
        for step in self._steps(file, limit):
            if self.limit and lines >= limit:
                return
            manifest = self.run.manifest(step.name)
            lines += manifest.facts["lines"]
            yield from ((manifest, found) for found in manifest.facts["ranges"])


def _ingest_ranges(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    source: Source,
    ranges: range,
    size: int,
    cleaning: CleaningConfig,
    folder: tuple[str, str],
    limit: int,
) -> Mapping[str, JSON]:
    @contextmanager
    def tables(index: int) -> Iterator[tuple[Path, Path]]:
        with (
            published(data_dir / layout.reviews(*folder, index)) as reviews,
            published(data_dir / layout.rejected_range(*folder, index)) as others,
        ):
            yield reviews, others

    found = write_reviews(source, ranges, size, cleaning, tables, limit)
    return {**{fact: sum(each[fact] for each in found) for fact in found[0]}, "ranges": found}


STAGE = Stage(
    "ingest",
    _plan,
    publishes=(
        layout.reviews(layout.ANY, layout.ANY, layout.ANY),
        layout.rejected_range(layout.ANY, layout.ANY, layout.ANY),
        *map(layout.rejected, layout.SOURCES),
    ),
)
