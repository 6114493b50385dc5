"""Ingest: the two files of reviews to Parquet shards of cleaned reviews, a range of bytes each.

With a limit on lines, ranges are read in waves: one to see how many lines a range holds, then as many as that lets
expect to be needed, until the limit is reached. Ranges keep all their lines; `parts` says how many of them count.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.manifest import JSON, Manifest
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, outputs_of, upstream_digest
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.rejected import Range, collect_rejected, refuse_too_many
from sentiment_pipeline.text.reviews import write_reviews
from sentiment_pipeline.text.source import Source, inspect

__all__ = ["STAGE", "Part", "part_name", "parts", "total_name"]

_VERSION = 3


@dataclass(frozen=True)
class Part:
    """A shard of the reviews of one file.

    Attributes:
        source: `train` or `test`.
        index: number of the shard.
        first: how many reviews of the file come before it.
        reviews: how many of its reviews count; the first ones of its table.
        bytes: of the text that it was read from.
    """

    source: str
    index: int
    first: int
    reviews: int
    bytes: int

    @property
    def name(self) -> str:
        return f"{self.source}/part-{self.index:05d}"

    @property
    def table(self) -> str:
        """The table of its reviews, relative to the data folder."""
        return layout.reviews(self.source, self.index)

    @property
    def work(self) -> dict[str, JSON]:
        """The facts that say how much a step over this part had to do, for rates."""
        return {"reviews": self.reviews, "bytes": self.bytes}


def parts(run: Run[Settings]) -> list[Part]:
    """All shards in order, those of the training file first; the stage must be finished."""
    found = []
    for source in layout.SOURCES:
        first, facts = 0, run.manifest(total_name(source)).facts
        for index, (reviews, size) in enumerate(zip(facts["parts"], facts["sizes"], strict=True)):
            found.append(Part(source, index, first, reviews, size))
            first += reviews
    return found


def part_name(source: str, index: int) -> str:
    return f"ingest/{source}/part-{index:05d}"


def total_name(source: str) -> str:
    return f"ingest/{source}/total"


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    sources = {name: inspect(_path_of(run, name)) for name in layout.SOURCES}
    for waves in zip_longest(*(_waves_of_parts(run, name, source) for name, source in sources.items()), fillvalue=()):
        yield list(chain(*waves))
    yield [_total_step(run, name, source) for name, source in sources.items()]


def _path_of(run: Run[Settings], source: str) -> Path:
    path: Path | None = getattr(run.settings, source)
    if path is None:
        raise SettingsError(f"no {source} file is given; name one with --{source} FILE")
    return path


def _waves_of_parts(run: Run[Settings], name: str, source: Source) -> Iterator[Sequence[Step]]:
    """The steps for the ranges of one file, in waves; each wave but the first looks at what those before it found."""
    config = run.settings.ingest
    limit, total = _line_limit(run, name), source.ranges(config.shard_bytes)
    done = lines = 0
    while done < total and (lines < limit or not limit):
        wanted = -(-done * limit // lines) if lines else done + 1
        until = min(max(wanted, done + 1), total) if limit else total
        yield [_part_step(run, name, source, index) for index in range(done, until)]
        lines += sum(run.manifest(part_name(name, index)).facts["lines"] for index in range(done, until))
        done = until


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
    """The last step for a file: all its rejected lines in one table, and how many reviews of each range count."""
    config, limit = run.settings.ingest, _line_limit(run, name)
    found, lines = list[Manifest](), 0
    for index in range(source.ranges(config.shard_bytes)):
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
            "lines": [each.facts["lines"] for each in found],
            "sizes": [each.facts["bytes"] for each in found],
            "limit": limit,
            **rules,
        },
        depends={"version": _VERSION, "parts": upstream_digest(found), "ingest": {f"{name}_lines": limit, **rules}},
        outputs=(layout.rejected(name),),
        reads=outputs_of(found, *(layout.rejected_range(name, index) for index in range(len(found)))),
    )


def _ingest_total(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    path: Path,
    name: str,
    lines: Sequence[int],
    sizes: Sequence[int],
    limit: int,
    max_rejected_fraction: float,
    min_rejected_lines: int,
) -> Mapping[str, JSON]:
    output = data_dir / layout.rejected(name)
    with published(output) as temporary:
        ranges = [Range(count, data_dir / layout.rejected_range(name, index)) for index, count in enumerate(lines)]
        within = collect_rejected(ranges, limit, temporary)
    read, reviews = (sum(column) for column in zip(*within, strict=True))
    refuse_too_many(path, output, read, max_rejected_fraction, min_rejected_lines)
    if not reviews:
        raise PipelineError(f"{path} holds no labelled review; give a file of lines such as '__label__2 I liked it'")
    parts = [count for _, count in within]
    return {"lines": read, "reviews": reviews, "rejected": read - reviews, "parts": parts, "sizes": sizes}


STAGE = Stage(
    "ingest",
    _plan,
    publishes=(
        layout.reviews(layout.ANY, layout.ANY),
        layout.rejected_range(layout.ANY, layout.ANY),
        *map(layout.rejected, layout.SOURCES),
    ),
)
