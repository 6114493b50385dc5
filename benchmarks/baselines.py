"""Test accuracy of the pipeline against fastText on every data set at hand.

    python -m benchmarks.baselines [--preset quick] [--only imdb sample amazon]

`imdb`: the official split. `sample`: synthetic reviews, whose sentiment hangs on the order of words, so that a bag of
them (fastText without n-grams) must do worse. `amazon`: too few reviews to train on by themselves, so both learn on
IMDB and are asked about these. fastText gets the validation reviews to train on too, since it needs none.
"""

import argparse
import json
import math
import os
import tempfile
import time
from pathlib import Path

from benchmarks.fasttext_baseline import accuracy
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import run_stages
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.settings import load
from sentiment_pipeline.stages.pipeline import STAGES, open_data_folder

REVIEWS = Path(os.environ.get("REVIEWS_DIR", "../shared/data"))
FILES = {"imdb": ("imdb_train", "imdb_test"), "amazon": ("imdb_train", "amazon_polarity_1000")}


def compare(name: str, train: Path, test: Path, folder: Path, preset: str) -> None:
    settings = load({"train": train, "test": test, "data_dir": folder, "preset": preset})
    started = time.perf_counter()
    with open_data_folder(settings) as run, ProcessExecutor() as executor:
        run_stages(run, STAGES, executor, PlainObserver(lambda line: print(line, flush=True)))
    seconds = time.perf_counter() - started
    figures = json.loads((folder / "metrics.json").read_text())["test"]
    error = math.sqrt(figures["accuracy"] * (1 - figures["accuracy"]) / figures["reviews"])
    print(f"{name:8} {preset:24} {figures['accuracy']:.4f}  (standard error {error:.4f}, {seconds:.0f} s)", flush=True)
    shards = [folder / "shards" / split for split in ("train", "validation", "test")]
    for words, rival in ((2, "fastText, bigrams"), (1, "fastText, words alone")):
        found = accuracy(shards[:2], shards[2:], words)
        print(f"{name:8} {rival:24} {found:.4f}  ({100 * (figures['accuracy'] - found):+.2f} points)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--only", nargs="+", choices=("imdb", "sample", "amazon"), default=["imdb", "sample", "amazon"])
    parser.add_argument("--sample-reviews", type=int, default=25_000)
    options = parser.parse_args()
    for name in options.only:
        with tempfile.TemporaryDirectory(prefix="rivals-") as scratch:
            folder = Path(scratch)
            if name == "sample":
                write_sample(folder, options.sample_reviews, seed=1)
                files = [folder / f"{split}.ft.txt.bz2" for split in ("train", "test")]
            else:
                files = [REVIEWS / f"{file}.ft.txt.bz2" for file in FILES[name]]
            if all(file.exists() for file in files):
                compare(name, *files, folder / "data", options.preset)
            else:
                print(f"{name}: no reviews in {REVIEWS}; name their folder in REVIEWS_DIR")


if __name__ == "__main__":
    main()
