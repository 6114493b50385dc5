"""What a folder's growth costs against preparing it: `python -m benchmarks.growth [--reviews 4000000]`.

The same synthetic reviews are prepared as one file and as 40. Then the folder of one file gets a file of 1 % more,
with the vocabulary frozen, and another of 1 %, with it counted anew. All are whole commands with two workers, their
start and the check of every byte included. At 4,000,000 reviews it takes some six minutes and 12 GB of disk.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.sample import write_sample

_FILES = 40
_TEST = 10_000  # reviews


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=4_000_000, help="training reviews")
    parser.add_argument("--folder", type=Path, help="where the folder to work in is made; default: a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="growth-", dir=options.folder) as scratch:
        measure(Path(scratch), options.reviews)


def measure(folder: Path, reviews: int) -> None:
    """Print the time of each way, and its ratio to that of one file."""
    files = [write(folder, f"part-{number:02d}", reviews // _FILES, number) for number in range(_FILES)]
    more = [write(folder, f"more-{number}", reviews // 100, 1000 + number) for number in range(2)]
    test, one = write(folder, "test", _TEST, 2000), folder / "one.bz2"
    with one.open("wb") as whole:
        for each in files:
            with each.open("rb") as part:
                shutil.copyfileobj(part, whole)
    base = prepare(folder / "one", [one], test)
    print(f"one file, {reviews:,} reviews: {base:.1f} s", flush=True)
    show(f"{_FILES} files", prepare(folder / "forty", files, test), base)
    shutil.rmtree(folder / "forty")
    show("nothing new", prepare(folder / "one", [one], test), base)
    frozen = prepare(folder / "one", [one, more[0]], test, "--set", "vocabulary.source=frozen")
    show("1 % more, the vocabulary frozen", frozen, base)
    show("1 % more, the vocabulary counted anew", prepare(folder / "one", [one, *more], test), base)


def write(folder: Path, name: str, reviews: int, seed: int) -> Path:
    """A file of synthetic reviews."""
    write_sample(folder / name, -(-reviews * 10 // 9), seed)
    return folder / name / layout.input_file("train")


def prepare(data_dir: Path, train: list[Path], test: Path, *options: str) -> float:
    """The seconds that the command takes."""
    files = [option for path in train for option in ("--train", str(path))]
    command = [sys.executable, "-m", "sentiment_pipeline", "prepare", *files, "--test", str(test), "--preset", "quick"]
    started = time.perf_counter()
    subprocess.run(
        [*command, "--data-dir", str(data_dir), "--set", "execution.workers=2", *options],
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def show(name: str, seconds: float, base: float) -> None:
    print(f"{name}: {seconds:.1f} s, {seconds / base:.1%} of that of one file", flush=True)


if __name__ == "__main__":
    main()
