"""Ingest: the two files of reviews to Parquet shards of cleaned reviews, a range of bytes each.

With a limit on lines, ranges are read in waves: one to see how many lines a range holds, then as many as that lets
expect to be needed, until the limit is reached. Ranges keep all their lines; `parts` says how many of them count.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from pathlib import Path

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.prepare.config import CleaningConfig
from sentiment_pipeline.prepare.rejected import Range, collect_rejected, refuse_too_many
from sentiment_pipeline.prepare.reviews import write_reviews
from sentiment_pipeline.prepare.source import Source, inspect
from sentiment_pipeline.stages.step import Report, Run, Step, outputs_of, upstream
from sentiment_pipeline.storage.files import published
from sentiment_pipeline.storage.manifest import JSON, Manifest

VERSION = 3
PUBLISHES = ("ingest/*/part-*.parquet", "ingest/*/rejected-*.parquet", "rejected/train.parquet",
             "rejected/test.parquet")
SOURCES = ("train", "test")


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
        """Its reviews' file, relative to the data folder."""
        return f"ingest/{self.name}.parquet"

    @property
    def work(self) -> dict[str, JSON]:
        """The facts that say how much a step over this part had to do."""
        return {"reviews": self.reviews, "bytes": self.bytes}


def parts(run: Run) -> list[Part]:
    """All shards in order, those of the training file first; the stage must be finished."""
    found = []
    for source in SOURCES:
        first, facts = 0, run.manifest(total_name(source)).facts
        for index, (reviews, size) in enumerate(zip(facts["parts"], facts["sizes"], strict=True)):
            found.append(Part(source, index, first, reviews, size))
            first += reviews
    return found


def part_name(source: str, index: int) -> str:
    return f"ingest/{source}/part-{index:05d}"


def total_name(source: str) -> str:
    return f"ingest/{source}/total"


def plan(run: Run) -> Iterator[list[Step]]:
    sources = {name: inspect(path_of(run, name)) for name in SOURCES}
    for waves in zip_longest(*(waves_of_parts(run, name, source) for name, source in sources.items()), fillvalue=()):
        yield list(chain(*waves))
    yield [total_step(run, name, source) for name, source in sources.items()]


def path_of(run: Run, source: str) -> Path:
    path: Path | None = getattr(run.settings, source)
    if path is None:
        raise SettingsError(f"no {source} file is given; name one with --{source} FILE")
    return path


def waves_of_parts(run: Run, name: str, source: Source) -> Iterator[Sequence[Step]]:
    """The steps for the ranges of one file, in waves; each wave but the first looks at what those before it found."""
    config = run.settings.ingest
    limit, total = line_limit(run, name), source.ranges(config.shard_bytes)
    done = lines = 0
    while done < total and (lines < limit or not limit):
        wanted = -(-done * limit // lines) if lines else done + 1
        until = min(max(wanted, done + 1), total) if limit else total
        yield [part_step(run, name, source, index) for index in range(done, until)]
        lines += sum(run.manifest(part_name(name, index)).facts["lines"] for index in range(done, until))
        done = until


def line_limit(run: Run, name: str) -> int:
    limit: int = getattr(run.settings.ingest, f"{name}_lines")
    return limit


def part_step(run: Run, name: str, source: Source, index: int) -> Step:
    size, cleaning = run.settings.ingest.shard_bytes, run.settings.cleaning
    return Step(
        name=part_name(name, index),
        work=ingest_part,
        arguments={"source": source, "index": index, "size": size, "cleaning": cleaning, "name": name},
        depends={"version": VERSION, "file": source.sha256, "range": index, "ingest": {"shard_bytes": size},
                 "cleaning": asdict(cleaning)},
        outputs=(f"{part_name(name, index)}.parquet", rejected_path(name, index)),
    )


def rejected_path(name: str, index: int) -> str:
    return f"ingest/{name}/rejected-{index:05d}.parquet"


def ingest_part(data_dir: Path, report: Report, *, source: Source, index: int, size: int, cleaning: CleaningConfig,
                name: str) -> Mapping[str, JSON]:
    with (published(data_dir / f"{part_name(name, index)}.parquet") as reviews,
          published(data_dir / rejected_path(name, index)) as rejected):
        return write_reviews(source, index, size, cleaning, reviews, rejected)


def total_step(run: Run, name: str, source: Source) -> Step:
    """The last step for a file: all its rejected lines in one table, and how many reviews of each range count."""
    config, limit = run.settings.ingest, line_limit(run, name)
    found, lines = list[Manifest](), 0
    for index in range(source.ranges(config.shard_bytes)):
        if limit and lines >= limit:
            break
        found.append(run.manifest(part_name(name, index)))
        lines += found[-1].facts["lines"]
    rules = {"max_rejected_share": config.max_rejected_share, "min_rejected_lines": config.min_rejected_lines}
    return Step(
        name=total_name(name),
        work=ingest_total,
        arguments={"path": source.path, "name": name, "lines": [each.facts["lines"] for each in found],
                   "sizes": [each.facts["bytes"] for each in found], "limit": limit, **rules},
        depends={"version": VERSION, "parts": upstream(found), "ingest": {f"{name}_lines": limit, **rules}},
        outputs=(f"rejected/{name}.parquet",),
        reads=outputs_of(found, *(rejected_path(name, index) for index in range(len(found)))),
    )


def ingest_total(data_dir: Path, report: Report, *, path: Path, name: str, lines: Sequence[int],
                 sizes: Sequence[int], limit: int, max_rejected_share: float, min_rejected_lines: int
                 ) -> Mapping[str, JSON]:
    output = data_dir / f"rejected/{name}.parquet"
    with published(output) as temporary:
        ranges = [Range(count, data_dir / rejected_path(name, index)) for index, count in enumerate(lines)]
        within = collect_rejected(ranges, limit, temporary)
    read, reviews = (sum(column) for column in zip(*within, strict=True))
    refuse_too_many(path, output, read, max_rejected_share, min_rejected_lines)
    if not reviews:
        raise PipelineError(f"{path} holds no labelled review; give a file of lines such as '__label__2 I liked it'")
    parts = [count for _, count in within]
    return {"lines": read, "reviews": reviews, "rejected": read - reviews, "parts": parts, "sizes": sizes}
