"""How fast `prepare` is with each input format, against .bz2: `python -m benchmarks.formats [--reviews 400000]`.

The same synthetic reviews are written in each format, and prepared with the preset `quick` in two workers by the
command line, in turn, `rounds` times. MB/s are of the text in fastText's format.
"""

import argparse
import bz2
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from sentiment_pipeline import layout
from sentiment_pipeline.sample import write_sample

_GROUP = 50_000  # rows of a Parquet row group


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="formats-") as scratch:
        folder = Path(scratch)
        write_sample(folder, options.reviews, seed=0)
        train, test = (bz2.decompress((folder / layout.input_file(each)).read_bytes()) for each in layout.SOURCES)
        for source, text in zip(layout.SOURCES, (train, test), strict=True):
            for suffix, write in _FORMATS.items():
                write(folder / f"{source}.{suffix}", text)
        measure(folder, len(train) + len(test), options.rounds)


def measure(folder: Path, size: int, rounds: int) -> None:
    """Print the rate of each format in MB/s of text, and the ratio of its time to that of .bz2."""
    seconds = {suffix: list[float]() for suffix in _FORMATS}
    for number in range(rounds):
        for suffix, times in seconds.items():
            times.append(prepare(folder, suffix, folder / f"data-{suffix}-{number}"))
    for suffix, times in seconds.items():
        ratios = [before / now for before, now in zip(seconds["bz2"], times, strict=True)]
        print(
            f"{suffix}: {size / statistics.median(times) / 1e6:.1f} MB/s, {statistics.median(ratios):.2f} times "
            f"as fast as .bz2 ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


def prepare(folder: Path, suffix: str, data_dir: Path) -> float:
    """The seconds that the command takes."""
    files = [option for each in layout.SOURCES for option in (f"--{each}", str(folder / f"{each}.{suffix}"))]
    command = [sys.executable, "-m", "sentiment_pipeline", "prepare", *files, "--data-dir", str(data_dir)]
    started = time.perf_counter()
    subprocess.run([*command, "--preset", "quick", "--set", "execution.workers=2"], check=True, capture_output=True)
    return time.perf_counter() - started


def table(text: bytes) -> pa.Table:
    """The reviews of fastText lines as `label` and `text`."""
    lines = text.decode().splitlines()
    labels = [int(line.startswith("__label__2")) for line in lines]
    return pa.table({"label": labels, "text": [line.partition(" ")[2] for line in lines]})


def write_jsonl(path: Path, text: bytes) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in table(text).to_pylist()))


_FORMATS: dict[str, Callable[[Path, bytes], object]] = {
    "bz2": lambda path, text: path.write_bytes(bz2.compress(text)),
    "txt": lambda path, text: path.write_bytes(text),
    "gz": lambda path, text: path.write_bytes(gzip.compress(text)),
    "zst": lambda path, text: path.write_bytes(pa.compress(text, "zstd", asbytes=True)),
    "csv": lambda path, text: pyarrow.csv.write_csv(table(text), path),
    "jsonl": write_jsonl,
    "parquet": lambda path, text: pyarrow.parquet.write_table(table(text), path, row_group_size=_GROUP),
}


if __name__ == "__main__":
    main()
