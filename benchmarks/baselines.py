"""The pipeline's test accuracy against fastText, on every data set at hand.

    python -m benchmarks.baselines [--preset quick] [--only imdb sample amazon]

`imdb` is the official split. `sample` is synthetic reviews, whose sentiment depends on the order of words, so that a
bag of words (fastText without n-grams) must be worse. `amazon` has too few reviews to train on, so both are trained on
IMDB and tested on these. fastText is trained on the validation reviews, too, because it needs none.
"""

import argparse
import json
import math
import os
import tempfile
import time
from pathlib import Path

from benchmarks.fasttext_baseline import fasttext_accuracy
from sentiment_pipeline import layout
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.settings import load
from sentiment_pipeline.stages.pipeline import STAGES, run_in_folder

_REVIEWS = Path(os.environ.get("REVIEWS_DIR", "../shared/data"))
_FILES = {"imdb": ("imdb_train", "imdb_test"), "amazon": ("imdb_train", "amazon_polarity_1000")}
_BASELINES = {"fastText, bigrams": 2, "fastText, words alone": 1}  # words of the longest n-grams


def _compare(name: str, train: Path, test: Path, folder: Path, preset: str) -> None:
    """Run the pipeline and the baselines, and print their test accuracies."""
    settings = load({"train": train, "test": test, "data_dir": folder, "preset": preset})
    started = time.perf_counter()
    run_in_folder(STAGES, settings, PlainObserver(lambda line: print(line, flush=True)))
    seconds = time.perf_counter() - started
    metrics = json.loads((folder / layout.METRICS).read_text())["test"]
    accuracy = metrics["accuracy"]
    error = math.sqrt(accuracy * (1 - accuracy) / metrics["reviews"])
    print(f"{name:8} {preset:24} {accuracy:.4f}  (standard error {error:.4f}, {seconds:.0f} s)", flush=True)
    shards = [folder / layout.shards(split) for split in layout.SPLITS]
    for baseline, ngrams in _BASELINES.items():
        found = fasttext_accuracy(shards[:2], shards[2:], ngrams)
        print(f"{name:8} {baseline:24} {found:.4f}  ({100 * (accuracy - found):+.2f} points)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--only", nargs="+", choices=("imdb", "sample", "amazon"), default=["imdb", "sample", "amazon"])
    parser.add_argument("--sample-reviews", type=int, default=25_000, help="synthetic reviews of `sample`")
    options = parser.parse_args()
    for name in options.only:
        with tempfile.TemporaryDirectory(prefix="baselines-") as scratch:
            folder = Path(scratch)
            if name == "sample":
                write_sample(folder, options.sample_reviews, seed=1)
                train, test = (folder / layout.input_file(source) for source in layout.SOURCES)
            else:
                train, test = (_REVIEWS / f"{file}.ft.txt.bz2" for file in _FILES[name])
            if train.exists() and test.exists():
                _compare(name, train, test, folder / "data", options.preset)
            else:
                print(f"{name}: no reviews in {_REVIEWS}; set REVIEWS_DIR to their folder")


if __name__ == "__main__":
    main()
