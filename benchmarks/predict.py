"""How fast `predict` scores on a CPU: `python -m benchmarks.predict [--data-dir DIR] [--reviews FILE] [--rounds 3]`.

The baseline is the way it was before: `torch.nn.LSTM` on all cores, batches of at most 65,536 tokens, texts and model
in turn. Baseline, `predict` and `predict --fast` read the same file in the same process, in turn, `rounds` times; then
whole processes are timed, with their start. Without `--data-dir`, a model of the preset `quick` is trained on 22,500
synthetic reviews; without `--reviews`, 100,000 others are scored. fastText is timed where it is installed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.fasttext_baseline import train_fasttext, words_alone
from sentiment_pipeline import layout
from sentiment_pipeline.data.batches import gather_ids
from sentiment_pipeline.models.model_folder import load_model
from sentiment_pipeline.models.precision import autocast, choose_dtype
from sentiment_pipeline.predict import Predictor
from sentiment_pipeline.predict.loading import load_encoder
from sentiment_pipeline.predict.reading import open_texts
from sentiment_pipeline.sample import write_sample

_TOKENS = 1 << 16  # of a batch of the baseline
_COMMAND = (sys.executable, "-m", "sentiment_pipeline")
_IN_PYTHON = "import sys, sentiment_pipeline as sp; print(sp.load(sys.argv[1]).predict(['not bad at all']), flush=True)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, help="the data folder of a finished run")
    parser.add_argument("--reviews", type=Path, help="a file of reviews to score, in any format that is read")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="predict-") as scratch:
        data_dir = options.data_dir or trained(Path(scratch, "small"))
        reviews = options.reviews or sample(Path(scratch, "large"), 111_120, seed=1)
        print(f"load average before: {os.getloadavg()[0]:.1f}, on {os.cpu_count()} cores", flush=True)
        compare(data_dir, reviews, options.rounds)
        time_processes(data_dir / layout.MODEL, reviews, Path(scratch))
        compare_fasttext(data_dir, reviews)


def sample(folder: Path, reviews: int, seed: int) -> Path:
    """The larger file of a sample, with nine tenths of the reviews."""
    write_sample(folder, reviews, seed)
    return folder / layout.input_file("train")


def trained(folder: Path) -> Path:
    """The data folder of a run of the preset `quick`."""
    sample(folder, 25_000, seed=0)
    files = [option for each in layout.SOURCES for option in (f"--{each}", str(folder / layout.input_file(each)))]
    run = [*_COMMAND, "run", *files, "--data-dir", str(folder / "data"), "--preset", "quick"]
    subprocess.run(run, check=True, capture_output=True)
    return folder / "data"


def compare(data_dir: Path, reviews: Path, rounds: int) -> None:
    """Print the rates of the baseline and of `Predictor`, and how often their labels agree."""
    predictor, former = Predictor(data_dir / layout.MODEL), Former(data_dir / layout.MODEL)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "baseline": lambda: np.concatenate(list(former.score_file(reviews))),
        "predict": lambda: np.concatenate([each.probabilities for each in predictor.score_file(reviews)]),
        "--fast": lambda: np.concatenate([each.probabilities for each in predictor.score_file(reviews, fast=True)]),
    }
    seconds, found = dict[str, list[float]]({name: [] for name in ways}), dict[str, np.ndarray]()
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            found[name] = way()
            seconds[name].append(time.perf_counter() - started)
    for name, times in seconds.items():
        ratios = [before / after for before, after in zip(seconds["baseline"], times, strict=True)]
        agreement = ((found[name] > 0.5) == (found["predict"] > 0.5)).mean()
        print(
            f"{name}: {len(found[name]) / statistics.median(times):,.0f} reviews/s, "
            f"{statistics.median(ratios):.2f} times the baseline ({min(ratios):.2f} to {max(ratios):.2f}); "
            f"labels as predict's: {agreement:.3%}",
            flush=True,
        )


class Former:
    """How scoring was done before."""

    def __init__(self, folder: Path) -> None:
        self._model, config = load_model(folder)
        self._encoder = load_encoder(folder, config)
        self._dtype = choose_dtype("auto", torch.device("cpu"))

    @torch.inference_mode()
    def score_file(self, path: Path) -> Iterator[np.ndarray]:
        """The probabilities of each block of texts."""
        with open_texts(path) as batches:
            for batch in batches:
                encoded = self._encoder.encode(batch.texts)
                yield self._score(encoded.ids, encoded.offsets)

    def _score(self, ids: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        result, lengths, start = np.zeros(len(offsets) - 1, np.float32), np.diff(offsets), 0
        order = np.argsort(-lengths, kind="stable")
        while start < len(order):
            rows = order[start : start + max(1, _TOKENS // max(1, int(lengths[order[start]])))]
            batch, kept = gather_ids(ids, offsets, rows, self._model.config.truncation)
            with autocast(torch.device("cpu"), self._dtype):
                result[rows] = self._model(torch.from_numpy(batch), torch.from_numpy(kept)).sigmoid().numpy()
            start += len(rows)
        return result


def time_processes(model: Path, reviews: Path, scratch: Path) -> None:
    """Print how long whole commands take, and how soon the first answer is there."""
    for options in ([], ["--fast"]):
        output = scratch / f"answers{len(options)}.parquet"
        seconds = seconds_of([*_COMMAND, "predict", "--model", model, reviews, "--output", output, *options])
        print(f"the command predict {' '.join(options)}: {seconds:.1f} s with its start", flush=True)
    for name, command in (
        ("the command", [*_COMMAND, "predict", "--model", model]),
        ("sp.load(…).predict", [sys.executable, "-c", _IN_PYTHON, model]),
    ):
        print(f"first answer of {name}: {min(seconds_to_answer(command) for _ in range(3)):.2f} s, its start included")


def seconds_of(command: list[object]) -> float:
    started = time.perf_counter()
    subprocess.run([str(each) for each in command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def seconds_to_answer(command: list[object]) -> float:
    """Until the first line of output, for one line of input."""
    started = time.perf_counter()
    with subprocess.Popen([str(each) for each in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"not bad at all\n")
        process.stdin.close()
        assert process.stdout.readline()
        return time.perf_counter() - started


def compare_fasttext(data_dir: Path, reviews: Path) -> None:
    """Print the rate of fastText with bigrams, trained on the same reviews; one core."""
    try:
        model = train_fasttext([data_dir / layout.shards("train")], ngrams=2)
    except ImportError:
        print("fastText is not installed")
        return
    with open_texts(reviews) as batches:
        texts = [text for batch in batches for text in batch.texts]
    started = time.perf_counter()
    model.predict(words_alone(texts))
    print(f"fastText: {len(texts) / (time.perf_counter() - started):,.0f} reviews/s on one core")


if __name__ == "__main__":
    main()
