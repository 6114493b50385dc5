"""Everything that is timed: the prepare half, the tutorial's recipe, and decoders of .bz2 files."""

import bz2
import importlib
import multiprocessing
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.tutorial.preparing import tutorial
from sentiment_pipeline import settings
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.engine.workers import _start_worker
from sentiment_pipeline.stages import encode, ingest, tokenize, vocabulary
from sentiment_pipeline.text.source import Source, inspect, read_range

MEBIBYTE = 1 << 20
RANGE = 8 * MEBIBYTE
PLANS = {"ingest": ingest.plan, "tokenize": tokenize.plan, "vocabulary": vocabulary.plan, "encode": encode.plan}
Files = tuple[Path, ...]


def prepare(files: Files, folder: Path, workers: int, preset: str) -> dict[str, float]:
    """All of the prepare half into an empty folder; the seconds of each stage."""
    shutil.rmtree(folder, ignore_errors=True)
    run = Run(
        folder,
        settings.load(
            {
                "train": files[0],
                "test": files[1],
                "data_dir": folder,
                "preset": preset,
                "ingest": {"train_lines": 0, "test_lines": 0},
            }
        ),
    )
    seconds = {}
    with ProcessExecutor(workers) as execute:
        for name, plan in PLANS.items():
            started = time.perf_counter()
            for steps in plan(run):
                for _ in execute(steps, folder, report=lambda values: None):
                    pass
            seconds[name] = time.perf_counter() - started
    return seconds


def recipe(files: Files) -> int:
    """The tutorial's script, from its files to its token ids; how many words it keeps."""
    train, test = ([line.decode("utf-8") for line in bz2.BZ2File(path).readlines()] for path in files)
    return len(tutorial(train, test).words)


def decompress(files: Files) -> int:
    """Bare decompression by the standard library in one thread; bytes of text, as of all decoders here."""
    total = 0
    for path in files:
        with path.open("rb") as file:
            decompressor, data = bz2.BZ2Decompressor(), b""
            while data := data or file.read(MEBIBYTE):
                if decompressor.eof:
                    decompressor = bz2.BZ2Decompressor()
                total += len(decompressor.decompress(data))
                data = decompressor.unused_data
    return total


def decompress_by(library: str, threads: int, files: Files) -> int:
    """Decompression by `indexed_bzip2` or `rapidgzip`."""
    total = 0
    for path in files:
        with importlib.import_module(library).open(str(path), parallelization=threads) as file:
            while data := file.read(MEBIBYTE):
                total += len(data)
    return total


def read_ranges(processes: int, files: Files) -> int:
    """Our ranges, their lines left unparsed."""
    ranges = [(source, index) for source in map(inspect, files) for index in range(source.ranges(RANGE))]
    if processes == 1:
        return sum(length_of_range(*each) for each in ranges)
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _start_worker) as pool:
        return sum(pool.map(length_of_range, *zip(*ranges, strict=True)))


def length_of_range(source: Source, index: int) -> int:
    return sum(map(len, read_range(source, index, RANGE)))
