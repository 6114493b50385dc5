"""What it costs to believe no file: `python -m benchmarks.integrity [--reviews 400000]`.

Every byte of what is published is hashed when it is published, when a stage asks whether it is finished, and when a
step that has read it is recorded. Measured on synthetic reviews: preparing with and without the last of these, a
second run, which only checks, `verify`, and the rival of all three, reading the same bytes without hashing them.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import Run, run_stages
from sentiment_pipeline.engine.verify import damage
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.settings import load
from sentiment_pipeline.stages import step
from sentiment_pipeline.stages.pipeline import PREPARE


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def prepare(files: Path, folder: Path) -> float:
    """In one process, so that all its work is in this one."""
    settings = load(
        {"train": files / "train.ft.txt.bz2", "test": files / "test.ft.txt.bz2", "data_dir": folder, "preset": "quick"}
    )
    with ProcessExecutor(1) as executor:
        return timed(lambda: run_stages(Run(folder, settings), PREPARE, executor, PlainObserver(lambda line: None)))


def read(folder: Path) -> int:
    """Read every file, and nothing more; bytes."""
    total = 0
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                while data := file.read(1 << 20):
                    total += len(data)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=200_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="integrity-") as scratch:
        files = Path(scratch)
        write_sample(files, options.reviews, seed=1)
        checked, check = prepare(files, files / "data"), step.refuse_damaged
        step.refuse_damaged = lambda step, data_dir: None  # type: ignore[assignment]
        trusting = prepare(files, files / "trusting")
        step.refuse_damaged = check
        size = read(files / "data")
        rows = (
            ("prepare, checking what is read", checked),
            ("prepare, trusting what is read", trusting),
            ("a second run", prepare(files, files / "data")),
            ("verify", timed(lambda: damage(files / "data"))),
            ("reading the same bytes", timed(lambda: read(files / "data"))),
        )
        for name, seconds in rows:
            print(f"{name:32} {seconds:8.2f} s  {size / seconds / 1e6:10,.0f} MB/s of {size / 1e6:,.0f} MB published")
        print(f"checking what is read costs {100 * (checked / trusting - 1):.1f} % of preparing")


if __name__ == "__main__":
    main()
