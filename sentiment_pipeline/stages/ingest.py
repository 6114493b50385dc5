"""Ingest: read the two input files, a byte range a step, into Parquet shards of cleaned reviews.

With a limit on lines, ranges are read in waves: first one range, to see how many lines a range holds, then as many as
the limit is likely to need, until it is reached. A shard holds all reviews of its range; `parts` says how many of them
are within the limit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.manifest import JSON, Manifest
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, outputs_of, upstream_digest
from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.rejected import Range, collect_rejected, refuse_unfit
from sentiment_pipeline.text.reviews import write_reviews
from sentiment_pipeline.text.source import Source, inspect

__all__ = ["STAGE", "Part", "part_name", "parts", "total_name"]

_VERSION = 4


@dataclass(frozen=True)
class Part:
    """The reviews of one byte range of an input file.

    Attributes:
        source: `train` or `test`.
        index: of the range, from 0.
        first: number of reviews of the file before it.
        reviews: number of its reviews within the limit on lines, the first ones of its table.
        bytes: size of the text that it was read from.
    """

    source: str
    index: int
    first: int
    reviews: int
    bytes: int

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
        for index, (reviews, size) in enumerate(zip(facts["parts"], facts["sizes"], strict=True)):
            found.append(Part(source, index, first, reviews, size))
            first += reviews
    return found


def part_name(source: str, index: int) -> str:
    """The step that reads one byte range of an input file."""
    return f"ingest/{_range_name(source, index)}"


def total_name(source: str) -> str:
    """The step that adds up the ranges of an input file."""
    return f"ingest/{source}/total"


def _range_name(source: str, index: int) -> str:
    return f"{source}/part-{index:05d}"


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield the steps that read byte ranges of both files, in waves, then a step for each file that adds them up.

    `ingest/SOURCE/part-N` depends on the file's SHA-256, the range and `cleaning`. It publishes the range's cleaned
    reviews and its rejected lines.

    `ingest/SOURCE/total` depends on all ranges, the limit on lines and the limits on rejected lines. It reads the
    rejected lines of the ranges and publishes them as one table. Its facts hold the number of reviews of each range.

    Raises:
        SettingsError: an input file is not given, or both are the same.
        PipelineError: an input file is missing or not readable as reviews.
    """
    sources = {name: inspect(_path_of(run, name)) for name in layout.SOURCES}
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
    size, cleaning = run.settings.ingest.shard_bytes, run.settings.cleaning
    return Step(
        name=part_name(name, index),
        work=_ingest_part,
        arguments={"source": source, "index": index, "size": size, "cleaning": cleaning, "name": name},
        depends={
            "version": _VERSION,
            "file": source.sha256,
            "range": index,
            "ingest": {"shard_bytes": size},
            "cleaning": asdict(cleaning),
        },
        outputs=(layout.reviews(name, index), layout.rejected_range(name, index)),
    )


def _ingest_part(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    source: Source,
    index: int,
    size: int,
    cleaning: CleaningConfig,
    name: str,
) -> Mapping[str, JSON]:
    with (
        published(data_dir / layout.reviews(name, index)) as reviews,
        published(data_dir / layout.rejected_range(name, index)) as rejected,
    ):
        return write_reviews(source, index, size, cleaning, reviews, rejected)


def _total_step(run: Run[Settings], name: str, source: Source) -> Step:
    """The step that adds up the ranges of one file."""
    config, limit = run.settings.ingest, _line_limit(run, name)
    found, lines = list[Manifest](), 0
    for index in range(source.range_count(config.shard_bytes)):
        if limit and lines >= limit:
            break
        found.append(run.manifest(part_name(name, index)))
        lines += found[-1].facts["lines"]
    rules = {"max_rejected_fraction": config.max_rejected_fraction, "min_rejected_lines": config.min_rejected_lines}
    return Step(
        name=total_name(name),
        work=_ingest_total,
        arguments={
            "path": source.path,
            "name": name,
            "ranges": [
                Range(
                    each.facts["lines"],
                    each.facts["positive"],
                    Path(layout.reviews(name, index)),
                    Path(layout.rejected_range(name, index)),
                )
                for index, each in enumerate(found)
            ],
            "sizes": [each.facts["bytes"] for each in found],
            "limit": limit,
            **rules,
        },
        depends={"version": _VERSION, "parts": upstream_digest(found), "ingest": {f"{name}_lines": limit, **rules}},
        outputs=(layout.rejected(name),),
        reads=outputs_of(
            found,
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
    limit: int,
    max_rejected_fraction: float,
    min_rejected_lines: int,
) -> Mapping[str, JSON]:
    in_folder = [replace(each, reviews=data_dir / each.reviews, others=data_dir / each.others) for each in ranges]
    with published(data_dir / layout.rejected(name)) as rejected:
        summary = collect_rejected(in_folder, limit, rejected)
    refuse_unfit(path, summary, max_rejected_fraction, min_rejected_lines)
    return {
        "lines": summary.lines,
        "reviews": summary.reviews,
        "positive": summary.positive,
        "rejected": summary.rejected,
        "blank": summary.blank,
        "reasons": dict(summary.reasons),
        "warnings": summary.warnings(path.name),
        "parts": summary.parts,
        "sizes": sizes,
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
