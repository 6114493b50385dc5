"""Everything that is timed: the stages that prepare data, the tutorial's recipe, and decoders of .bz2 files."""

import bz2
import importlib
import shutil
from pathlib import Path

from benchmarks.tutorial.preparing import apply_recipe
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import run_stage
from sentiment_pipeline.engine.workers import WorkerPool
from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.inputs.ranges import text_of_ranges
from sentiment_pipeline.inputs.source import Source, inspect
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.settings import load
from sentiment_pipeline.stages.pipeline import PREPARE, open_data_folder

__all__ = ["MEBIBYTE", "Files", "decompress", "decompress_by", "prepare", "read_ranges", "recipe"]

MEBIBYTE = 1 << 20
Files = tuple[Path, ...]  # the training file and the test file

_RANGE = 8 * MEBIBYTE


def prepare(files: Files, folder: Path, workers: int, preset: str) -> dict[str, float]:
    """Prepare all lines of the files in an empty folder; the seconds of each stage."""
    shutil.rmtree(folder, ignore_errors=True)
    inputs = {"train": files[0], "test": files[1], "data_dir": folder, "preset": preset}
    settings = load({**inputs, "ingest": {"train_lines": 0, "test_lines": 0}})
    observer = PlainObserver(lambda line: None)
    with open_data_folder(settings) as run, ProcessExecutor(workers) as executor:
        return {stage.name: run_stage(run, stage, executor, observer).seconds for stage in PREPARE}


def recipe(files: Files) -> int:
    """The tutorial's script, from its files to its token ids; the number of words that it keeps."""
    train, test = ([line.decode("utf-8") for line in bz2.BZ2File(path).readlines()] for path in files)
    return len(apply_recipe(train, test).words)


def decompress(files: Files) -> int:
    """Bare decompression by the standard library in one thread; the bytes of text, as for all decoders here."""
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
    """This project's byte ranges, without parsing their lines."""
    sources = [inspect(path, InputConfig("", "", "")) for path in files]
    ranges = [(source, index) for source in sources for index in range(source.range_count(_RANGE))]
    if processes == 1:
        return sum(_length_of_range(*each) for each in ranges)
    with WorkerPool(processes) as pool:
        return sum(map(pool.result, [pool.submit(_length_of_range, *each) for each in ranges]))


def _length_of_range(source: Source, index: int) -> int:
    return sum(len(text) for _, text in text_of_ranges(source, range(index, index + 1), _RANGE))
