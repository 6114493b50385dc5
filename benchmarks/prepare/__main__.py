"""Print figures of preparing data as a table, and write them as JSON.

Every figure is a ratio of wall-clock times, or a memory, measured in one run on one machine. `--scale` adds the
comparison of 4,000,000 reviews with 400,000, which takes minutes and some 8 GB of disk.
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.prepare.baselines import MEBIBYTE, Files, decompress, decompress_by, prepare, read_ranges, recipe
from benchmarks.prepare.measure import Measured, measure
from sentiment_pipeline import layout
from sentiment_pipeline.sample import write_sample

_DECODERS: dict[str, tuple[Callable[..., int], *tuple[str | int, ...]]] = {
    "indexed_bzip2, one thread": (decompress_by, "indexed_bzip2", 1),
    "indexed_bzip2, two threads": (decompress_by, "indexed_bzip2", 2),
    "rapidgzip, one thread": (decompress_by, "rapidgzip", 1),
    "rapidgzip, two threads": (decompress_by, "rapidgzip", 2),
    "our ranges, one process": (read_ranges, 1),
    "our ranges, two processes": (read_ranges, 2),
}


@dataclass(frozen=True)
class _Figure:
    """A line of the table; `target` says what the value should be."""

    data: str
    name: str
    value: float
    unit: str
    target: str = ""

    def show(self) -> None:
        print(f"{self.data:<20} {self.name:<38} {self.value:10.2f} {self.unit:<6} {self.target}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prepare", description=__doc__)
    parser.add_argument("--reviews", type=int, default=100_000, help="synthetic reviews for the baselines; 0: none")
    parser.add_argument("--scale", action="store_true", help="compare --large reviews with --small")
    parser.add_argument("--small", type=int, default=400_000)
    parser.add_argument("--large", type=int, default=4_000_000)
    parser.add_argument("--folder", type=Path, help="where samples are kept; default: a temporary folder")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/prepare.json"))
    options = parser.parse_args()
    with _scratch(options.folder) as folder:
        found = []
        for figure in _figures(options, folder):
            figure.show()
            found.append(asdict(figure))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(found, indent=1) + "\n")


@contextmanager
def _scratch(folder: Path | None) -> Iterator[Path]:
    """The folder to work in; a temporary one if none is given."""
    if folder:
        yield folder
        shutil.rmtree(folder / "data", ignore_errors=True)
    else:
        with tempfile.TemporaryDirectory(prefix="prepare-benchmark-") as name:
            yield Path(name)


def _figures(options: argparse.Namespace, folder: Path) -> Iterator[_Figure]:
    """Yield all figures that the options ask for, each as soon as it is known."""
    reviews = Path(os.environ.get("REVIEWS_DIR", "../shared/data"))
    imdb = tuple(reviews / f"imdb_{name}.ft.txt.bz2" for name in layout.SOURCES)
    if options.reviews:
        yield from _baseline_figures(*_sample(folder, options.reviews), folder / "data")
        if all(file.exists() for file in imdb):
            yield from _baseline_figures("IMDB", imdb, folder / "data")
    if options.scale:
        yield from _scale_figures(_sample(folder, options.small), _sample(folder, options.large), folder / "data")


def _sample(folder: Path, reviews: int) -> tuple[str, Files]:
    """The name of a sample and its files, which are made if they are missing."""
    target = folder / f"sample-{reviews}"
    files = tuple(target / layout.input_file(name) for name in layout.SOURCES)
    if not all(file.exists() for file in files):
        write_sample(target, reviews, seed=1)
    return f"{reviews:,} synthetic", files


def _baseline_figures(data: str, files: Files, folder: Path) -> Iterator[_Figure]:
    """Preparing compared with decoders, with one worker and with the tutorial's recipe, on the same files."""
    bare = measure(decompress, files)
    yield from _decoder_figures(data, files, bare)
    two = measure(prepare, files, folder, 2, "tutorial")
    yield from _prepare_figures(data, two, bare)
    one = measure(prepare, files, folder, 1, "tutorial")
    yield _Figure(data, "one worker / two workers", one.seconds / two.seconds, "x", "at least 1.7")
    plain = measure(recipe, files)
    yield _Figure(data, "the tutorial's recipe", plain.seconds, "s")
    yield _Figure(data, "the tutorial's recipe / prepare", plain.seconds / two.seconds, "x", "at least 25")
    yield _Figure(data, "anonymous memory of the recipe", plain.anonymous / MEBIBYTE, "MiB")


def _scale_figures(small: tuple[str, Files], large: tuple[str, Files], folder: Path) -> Iterator[_Figure]:
    """How time and memory grow with the number of reviews."""
    few, many = (measure(prepare, files, folder, 2, "quick") for _, files in (small, large))
    name, files = large
    yield from _prepare_figures(name, many, measure(decompress, files))
    alone = measure(prepare, files, folder, 1, "quick")
    yield _Figure(name, "one worker / two workers", alone.seconds / many.seconds, "x", "at least 1.7")
    yield _Figure(name, "vocabulary", many.result["vocabulary"], "s", "under 30")
    yield _Figure(name, f"time / that of {small[0]}", many.seconds / few.seconds, "x", "at most 10.5")
    yield _Figure(name, f"memory / that of {small[0]}", many.anonymous / few.anonymous, "x", "at most 1.2")


def _decoder_figures(data: str, files: Files, bare: Measured[int]) -> Iterator[_Figure]:
    """The speed of other decoders and of this project's ranges.

    Raises:
        ValueError: a decoder gives another amount of text.
    """
    text = bare.result / MEBIBYTE
    yield _Figure(data, "text", text, "MiB")
    yield _Figure(data, "bare bz2, one thread", text / bare.seconds, "MiB/s")
    for name, (decode, *arguments) in _DECODERS.items():
        measured = measure(decode, *arguments, files)
        if measured.result != bare.result:
            raise ValueError(f"{name} gives {measured.result:,} bytes of {data} instead of {bare.result:,}")
        yield _Figure(data, name, text / measured.seconds, "MiB/s")


def _prepare_figures(data: str, run: Measured[dict[str, float]], bare: Measured[int]) -> Iterator[_Figure]:
    """The time of preparing with two workers, stage by stage, and its memory."""
    yield _Figure(data, "prepare, two workers", run.seconds, "s")
    yield from (_Figure(data, f"  {stage}", seconds, "s") for stage, seconds in run.result.items())
    yield _Figure(data, "prepare / bare bz2", run.seconds / bare.seconds, "x", "at most 1.5")
    yield _Figure(data, "anonymous memory", run.anonymous / MEBIBYTE, "MiB", "at most 1500")


if __name__ == "__main__":
    main()
