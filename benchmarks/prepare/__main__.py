"""Print the figures of the prepare half as a table and write them as JSON.

Every figure is a ratio of wall times, or a memory, measured in one run on one machine. `--scale` adds the comparison
of 4,000,000 reviews with 400,000, which takes minutes and some 8 GB of disk.
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.prepare.baselines import MEBIBYTE, Files, decompress, decompress_by, prepare, read_ranges, recipe
from benchmarks.prepare.measure import Measured, measure
from sentiment_pipeline.sample import write_sample

DECODERS = {
    "indexed_bzip2, one thread": (decompress_by, "indexed_bzip2", 1),
    "indexed_bzip2, two threads": (decompress_by, "indexed_bzip2", 2),
    "rapidgzip, one thread": (decompress_by, "rapidgzip", 1),
    "rapidgzip, two threads": (decompress_by, "rapidgzip", 2),
    "our ranges, one process": (read_ranges, 1),
    "our ranges, two processes": (read_ranges, 2),
}


@dataclass(frozen=True)
class Figure:
    """A line of the table; `target` says what the value should be."""

    data: str
    name: str
    value: float
    unit: str
    target: str = ""

    def show(self) -> None:
        print(f"{self.data:<20} {self.name:<38} {self.value:10.2f} {self.unit:<6} {self.target}", flush=True)


def decoder_figures(data: str, files: Files, bare: Measured) -> Iterator[Figure]:
    """How fast other decoders are, and how fast ours is."""
    text = bare.result / MEBIBYTE
    yield Figure(data, "text", text, "MiB")
    yield Figure(data, "bare bz2, one thread", text / bare.seconds, "MiB/s")
    for name, (decode, *arguments) in DECODERS.items():
        rival = measure(decode, *arguments, files)
        if rival.result != bare.result:
            raise ValueError(f"{name} gives {rival.result:,} bytes of {data} instead of {bare.result:,}")
        yield Figure(data, name, text / rival.seconds, "MiB/s")


def prepare_figures(data: str, run: Measured, bare: Measured) -> Iterator[Figure]:
    """What two workers took for the whole prepare half, stage by stage."""
    yield Figure(data, "prepare, two workers", run.seconds, "s")
    yield from (Figure(data, f"  {stage}", seconds, "s") for stage, seconds in run.result.items())
    yield Figure(data, "prepare / bare bz2", run.seconds / bare.seconds, "x", "at most 1.5")
    yield Figure(data, "anonymous memory", run.anonymous / MEBIBYTE, "MiB", "at most 1500")


def rival_figures(data: str, files: Files, folder: Path) -> Iterator[Figure]:
    """The prepare half against decoders, one worker and the tutorial's recipe, on the same files."""
    bare = measure(decompress, files)
    yield from decoder_figures(data, files, bare)
    two = measure(prepare, files, folder, 2, "tutorial")
    yield from prepare_figures(data, two, bare)
    one = measure(prepare, files, folder, 1, "tutorial")
    yield Figure(data, "one worker / two workers", one.seconds / two.seconds, "x", "at least 1.7")
    plain = measure(recipe, files)
    yield Figure(data, "the tutorial's recipe", plain.seconds, "s")
    yield Figure(data, "the tutorial's recipe / prepare", plain.seconds / two.seconds, "x", "at least 25")
    yield Figure(data, "anonymous memory of the recipe", plain.anonymous / MEBIBYTE, "MiB")


def scale_figures(small: tuple[str, Files], large: tuple[str, Files], folder: Path) -> Iterator[Figure]:
    """How time and memory grow with the number of reviews."""
    few, many = (measure(prepare, files, folder, 2, "quick") for _, files in (small, large))
    name = large[0]
    yield from prepare_figures(name, many, measure(decompress, large[1]))
    alone = measure(prepare, large[1], folder, 1, "quick")
    yield Figure(name, "one worker / two workers", alone.seconds / many.seconds, "x", "at least 1.7")
    yield Figure(name, "vocabulary", many.result["vocabulary"], "s", "under 30")
    yield Figure(name, f"time / that of {small[0]}", many.seconds / few.seconds, "x", "at most 10.5")
    yield Figure(name, f"memory / that of {small[0]}", many.anonymous / few.anonymous, "x", "at most 1.2")


def sample(folder: Path, reviews: int) -> tuple[str, Files]:
    """Synthetic reviews, made where they are missing."""
    place = folder / f"sample-{reviews}"
    files = tuple(place / f"{name}.ft.txt.bz2" for name in ("train", "test"))
    if not all(file.exists() for file in files):
        write_sample(place, reviews, seed=1)
    return f"{reviews:,} synthetic", files


def figures(options: argparse.Namespace, folder: Path) -> Iterator[Figure]:
    """All figures that were asked for; one is yielded as soon as it is known."""
    reviews = Path(os.environ.get("REVIEWS_DIR", "../shared/data"))
    imdb = tuple(reviews / f"imdb_{name}.ft.txt.bz2" for name in ("train", "test"))
    if options.reviews:
        yield from rival_figures(*sample(folder, options.reviews), folder / "data")
        if all(file.exists() for file in imdb):
            yield from rival_figures("IMDB", imdb, folder / "data")
    if options.scale:
        yield from scale_figures(sample(folder, options.small), sample(folder, options.large), folder / "data")


@contextmanager
def scratch(folder: Path | None) -> Iterator[Path]:
    """The folder to work in; a temporary one if none is given."""
    if folder:
        yield folder
        shutil.rmtree(folder / "data", ignore_errors=True)
    else:
        with tempfile.TemporaryDirectory(prefix="prepare-benchmark-") as name:
            yield Path(name)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prepare", description=__doc__)
    parser.add_argument("--reviews", type=int, default=100_000, help="synthetic reviews for the rivals; 0: none")
    parser.add_argument("--scale", action="store_true", help="compare --large reviews with --small")
    parser.add_argument("--small", type=int, default=400_000)
    parser.add_argument("--large", type=int, default=4_000_000)
    parser.add_argument("--folder", type=Path, help="where samples are kept; a temporary one if not given")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/prepare.json"))
    options = parser.parse_args()
    with scratch(options.folder) as folder:
        found = []
        for figure in figures(options, folder):
            figure.show()
            found.append(asdict(figure))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
