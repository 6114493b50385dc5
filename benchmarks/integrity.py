"""The cost of checking every byte: `python -m benchmarks.integrity [--reviews 400000]`.

Every published file is hashed when it is published, when a run asks whether its step is finished, and when a step that
read it is recorded. Measured on synthetic reviews, in one process: preparing with and without the last of these, a
second run, which only checks, `verify`, and for comparison reading the same bytes without hashing them.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.engine import step
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import Run, run_stages
from sentiment_pipeline.engine.verify import damage
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.settings import load
from sentiment_pipeline.stages.pipeline import PREPARE, STAGES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=200_000, help="synthetic reviews to prepare")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="integrity-") as scratch:
        files = Path(scratch)
        write_sample(files, options.reviews, seed=1)
        measure(files)


def measure(files: Path) -> None:
    """Print the seconds and the bytes per second of each measurement."""
    folder = files / "data"
    checked = prepare(files, folder)
    unchecked = prepare_unchecked(files, files / "unchecked")
    size = read(folder)
    rows = (
        ("prepare", checked),
        ("prepare, inputs of steps unchecked", unchecked),
        ("a second run", prepare(files, folder)),
        ("verify", timed(lambda: damage(folder, STAGES))),
        ("reading the same bytes", timed(lambda: read(folder))),
    )
    for name, seconds in rows:
        print(f"{name:36} {seconds:8.2f} s  {size / seconds / 1e6:10,.0f} MB/s of {size / 1e6:,.0f} MB published")
    print(f"checking the inputs of steps costs {100 * (checked / unchecked - 1):.1f} % of preparing")


def prepare(files: Path, folder: Path) -> float:
    """Prepare in this process; the seconds that it takes."""
    inputs = {source: files / layout.input_file(source) for source in layout.SOURCES}
    settings = load({**inputs, "data_dir": folder, "preset": "quick"})
    with ProcessExecutor(1) as executor:
        return timed(lambda: run_stages(Run(folder, settings), PREPARE, executor, PlainObserver(lambda line: None)))


def prepare_unchecked(files: Path, folder: Path) -> float:
    """`prepare` without checking what the steps have read."""
    check = step._check_inputs
    step._check_inputs = lambda step, data_dir: None
    try:
        return prepare(files, folder)
    finally:
        step._check_inputs = check


def timed(work: Callable[[], Any]) -> float:
    """The seconds that a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def read(folder: Path) -> int:
    """Read all files in blocks; the number of bytes."""
    total = 0
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                while data := file.read(1 << 20):
                    total += len(data)
    return total


if __name__ == "__main__":
    main()
