"""Ingest: read the two input files, a range a step, into Parquet shards of cleaned reviews.

A file that can only be read from its beginning on, such as a .gz, is one step, which makes the shards of all ranges.

With a limit on lines, ranges are read in waves: first one range, to see how many lines a range holds, then as many as
the limit is likely to need, until it is reached. A shard holds all reviews of its range; `parts` says how many of them
are within the limit.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.manifest import JSON, Manifest, read
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, outputs_of, upstream_digest
from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.inputs.source import Source, inspect
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.rejected import Range, collect_rejected, refuse_unfit
from sentiment_pipeline.text.reviews import write_reviews

__all__ = ["STAGE", "Part", "part_name", "parts", "require_ingested", "total_name", "whole_name"]

_VERSION = 5


@dataclass(frozen=True)
class Part:
    """The reviews of one byte range of an input file.

    Attributes:
        source: `train` or `test`.
        index: of the range, from 0.
        first: number of reviews of the file before it.
        reviews: number of its reviews within the limit on lines, the first ones of its table.
        bytes: size of the text that it was read from.
        step: the step that read it.
    """

    source: str
    index: int
    first: int
    reviews: int
    bytes: int
    step: str

    @property
    def name(self) -> str:
        """The last two parts of the names of steps over it, for example `train/part-00003`."""
        return _range_name(self.source, self.index)

    @property
    def table(self) -> str:
        """The path of its reviews, relative to the data folder."""
        return layout.reviews(self.source, self.index)

    @property
    def size(self) -> dict[str, JSON]:
        """The facts from which the rate of a step over it is computed."""
        return {"reviews": self.reviews, "bytes": self.bytes}


def parts(run: Run[Settings]) -> list[Part]:
    """All byte ranges in order, those of the training file first.

    Raises:
        PipelineError: the stage is not finished.
    """
    found = []
    for source in layout.SOURCES:
        first, facts = 0, run.manifest(total_name(source)).facts
        columns = facts["parts"], facts["sizes"], facts["steps"]
        for index, (reviews, size, step) in enumerate(zip(*columns, strict=True)):
            found.append(Part(source, index, first, reviews, size, step))
            first += reviews
    return found


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
            run.require_same(total.facts["steps"][0], **groups)


def part_name(source: str, index: int) -> str:
    """The step that reads one range of an input file."""
    return f"ingest/{_range_name(source, index)}"


def whole_name(source: str) -> str:
    """The step that reads all ranges of an input file that cannot be split."""
    return f"ingest/{source}/whole"


def total_name(source: str) -> str:
    """The step that adds up the ranges of an input file."""
    return f"ingest/{source}/total"


def _range_name(source: str, index: int) -> str:
    return f"{source}/part-{index:05d}"


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield the steps that read ranges of both files, in waves, then a step for each file that adds them up.

    `ingest/SOURCE/part-N` depends on the file's SHA-256, the range, `input` and `cleaning`. It publishes the range's
    cleaned reviews and its rejected lines. `ingest/SOURCE/whole` does so for all ranges of a file that cannot be split,
    up to the limit on lines, on which it depends too.

    `ingest/SOURCE/total` depends on all ranges, the limit on lines and the limits on rejected lines. It reads the
    rejected lines of the ranges and publishes them as one table. Its facts hold the number of reviews of each range.

    Raises:
        SettingsError: an input file is not given, or both are the same.
        PipelineError: an input file is missing or not readable as reviews.
    """
    sources = {name: inspect(_path_of(run, name), run.settings.input) for name in layout.SOURCES}
    if len({source.sha256 for source in sources.values()}) < len(sources):
        raise SettingsError(
            f"{run.settings.train} and {run.settings.test} are the same file, so the test would only show what the "
            "model has learned by heart; give other reviews to test on"
        )
    for waves in zip_longest(*(_waves_of_parts(run, name, source) for name, source in sources.items()), fillvalue=()):
        yield list(chain(*waves))
    yield [_total_step(run, name, source) for name, source in sources.items()]


def _path_of(run: Run[Settings], source: str) -> Path:
    path: Path | None = getattr(run.settings, source)
    if path is None:
        raise SettingsError(f"no {source} file is given; give one with --{source} FILE")
    return path


def _waves_of_parts(run: Run[Settings], name: str, source: Source) -> Iterator[Sequence[Step]]:
    """The steps for the ranges of one file, in waves; the size of a wave follows from what the earlier ones found."""
    limit, total = _line_limit(run, name), source.range_count(run.settings.ingest.shard_bytes)
    if not source.splits:
        yield [_whole_step(run, name, source)]
        return
    start = lines = 0
    while start < total and (lines < limit or not limit):
        expected = -(-start * limit // lines) if lines else start + 1
        end = min(max(expected, start + 1), total) if limit else total
        yield [_part_step(run, name, source, index) for index in range(start, end)]
        lines += sum(run.manifest(part_name(name, index)).facts["lines"] for index in range(start, end))
        start = end


def _line_limit(run: Run[Settings], name: str) -> int:
    limit: int = getattr(run.settings.ingest, f"{name}_lines")
    return limit


def _part_step(run: Run[Settings], name: str, source: Source, index: int) -> Step:
    depends = {**_depends(run, source), "range": index}
    return _step(run, name, source, part_name(name, index), range(index, index + 1), depends)


def _whole_step(run: Run[Settings], name: str, source: Source) -> Step:
    limit, ranges = _line_limit(run, name), range(source.range_count(run.settings.ingest.shard_bytes))
    return _step(run, name, source, whole_name(name), ranges, {**_depends(run, source), "limit": limit}, limit)


def _depends(run: Run[Settings], source: Source) -> dict[str, JSON]:
    return {
        "version": _VERSION,
        "file": source.sha256,
        "ingest": {"shard_bytes": run.settings.ingest.shard_bytes},
        "input": asdict(run.settings.input),
        "cleaning": asdict(run.settings.cleaning),
    }


def _step(
    run: Run[Settings],
    name: str,
    source: Source,
    step: str,
    ranges: range,
    depends: Mapping[str, JSON],
    limit: int = 0,
) -> Step:
    """A step that reads some ranges of a file."""
    size, cleaning = run.settings.ingest.shard_bytes, run.settings.cleaning
    return Step(
        name=step,
        work=_ingest_ranges,
        arguments={
            "source": source, "ranges": ranges, "size": size, "cleaning": cleaning, "name": name, "limit": limit
        },
        depends=depends,
        outputs=tuple(file(name, index) for index in ranges for file in (layout.reviews, layout.rejected_range)),
    )  # fmt: skip


def _ingest_ranges(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    source: Source,
    ranges: range,
    size: int,
    cleaning: CleaningConfig,
    name: str,
    limit: int,
) -> Mapping[str, JSON]:
    @contextmanager
    def tables(index: int) -> Iterator[tuple[Path, Path]]:
        with (
            published(data_dir / layout.reviews(name, index)) as reviews,
            published(data_dir / layout.rejected_range(name, index)) as others,
        ):
            yield reviews, others

    found = write_reviews(source, ranges, size, cleaning, tables, limit)
    return {**{fact: sum(each[fact] for each in found) for fact in found[0]}, "ranges": found}


def _ranges_of(run: Run[Settings], name: str, source: Source) -> tuple[list[Manifest], list[dict[str, int]]]:
    """The steps that have read a file, and the facts of each range, up to the limit on lines."""
    limit, count = _line_limit(run, name), source.range_count(run.settings.ingest.shard_bytes)
    if not source.splits:
        whole = run.manifest(whole_name(name))
        return [whole], whole.facts["ranges"]
    manifests, lines = list[Manifest](), 0
    for index in range(count):
        if limit and lines >= limit:
            break
        manifests.append(run.manifest(part_name(name, index)))
        lines += manifests[-1].facts["lines"]
    return manifests, [facts for each in manifests for facts in each.facts["ranges"]]


def _total_step(run: Run[Settings], name: str, source: Source) -> Step:
    """The step that adds up the ranges of one file."""
    config, limit = run.settings.ingest, _line_limit(run, name)
    manifests, found = _ranges_of(run, name, source)
    rules = {"max_rejected_fraction": config.max_rejected_fraction, "min_rejected_lines": config.min_rejected_lines}
    return Step(
        name=total_name(name),
        work=_ingest_total,
        arguments={
            "path": source.path,
            "name": name,
            "ranges": [
                Range(
                    each["lines"],
                    each["positive"],
                    Path(layout.reviews(name, index)),
                    Path(layout.rejected_range(name, index)),
                )
                for index, each in enumerate(found)
            ],
            "sizes": [each["bytes"] for each in found],
            "steps": [manifest.step for manifest in manifests for _ in manifest.facts["ranges"]],
            "limit": limit,
            "file": {"name": source.path.name, "bytes": source.bytes, "sha256": source.sha256},
            **rules,
        },
        depends={"version": _VERSION, "parts": upstream_digest(manifests), "ingest": {f"{name}_lines": limit, **rules}},
        outputs=(layout.rejected(name),),
        reads=outputs_of(
            manifests,
            *(layout.rejected_range(name, index) for index in range(len(found))),
            *([layout.reviews(name, len(found) - 1)] if limit else []),
        ),
    )


def _ingest_total(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    path: Path,
    name: str,
    ranges: Sequence[Range],
    sizes: Sequence[int],
    steps: Sequence[str],
    limit: int,
    file: Mapping[str, JSON],
    max_rejected_fraction: float,
    min_rejected_lines: int,
) -> Mapping[str, JSON]:
    in_folder = [replace(each, reviews=data_dir / each.reviews, others=data_dir / each.others) for each in ranges]
    with published(data_dir / layout.rejected(name)) as rejected:
        summary = collect_rejected(path.name, in_folder, limit, rejected)
    refuse_unfit(path, summary, max_rejected_fraction, min_rejected_lines)
    return {
        "lines": summary.lines,
        "reviews": summary.reviews,
        "positive": summary.positive,
        "rejected": summary.rejected,
        "blank": summary.blank,
        "dropped": summary.dropped,
        "reasons": dict(summary.reasons),
        "warnings": summary.warnings(path.name),
        "parts": summary.parts,
        "sizes": sizes,
        "steps": steps,
        "file": file,
    }


STAGE = Stage(
    "ingest",
    _plan,
    publishes=(
        layout.reviews(layout.ANY, layout.ANY),
        layout.rejected_range(layout.ANY, layout.ANY),
        *map(layout.rejected, layout.SOURCES),
    ),
)
