"""The tutorial's own training loop against this project's: the same network on the same reviews, in reviews per second.

    python -m benchmarks.trainer [--seconds 60] [--device auto]

`tutorial` is the preset, padded on the left to 200 tokens as in the tutorial. `tutorial, padded right` is the same
network without reading the padding.
"""

import argparse
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.training_data import VOCABULARY, make_job, read_preset, temporary_reviews
from benchmarks.tutorial.training import BATCH_SIZE, step_seconds
from sentiment_pipeline.data.packed import open_packed
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.precision import choose_device
from sentiment_pipeline.training.config import RuntimeConfig, TrainingConfig
from sentiment_pipeline.training.train import train

__all__ = ["measure_trainer", "measure_tutorial", "table_row"]

Figures = Mapping[str, float]


class _LongEnough(Exception):
    """Ends a training that was measured for long enough."""


def measure_tutorial(packed: Path, device: torch.device, seconds: float) -> float:
    """Reviews per second of the tutorial's loop.

    Args:
        packed: the folder of packed splits.
        device: where to train.
        seconds: how long to measure; at least one step, and without the first one if there are more.
    """
    measured: list[float] = []
    for each in step_seconds(open_packed(packed / "train", VOCABULARY), VOCABULARY, device):
        measured.append(each)
        if sum(measured) > seconds:
            break
    steady = measured[1:] or measured
    return BATCH_SIZE * len(steady) / sum(steady)


def measure_trainer(
    packed: Path, model: ModelConfig, training: TrainingConfig, runtime: RuntimeConfig, seconds: float
) -> dict[str, float]:
    """Means of the figures of this project's trainer; of pretraining, if the settings have it.

    Args:
        packed: the folder of packed splits.
        model, training, runtime: the settings.
        seconds: how long to measure; without the first figures if there are more.
    """
    found: list[Figures] = []

    def on_figures(figures: Figures) -> None:
        named = {name.removeprefix("pretraining_"): value for name, value in figures.items()}
        if "reviews_per_s" in named:
            found.append(named)
        if sum(runtime.log_every * training.batch_size / each["reviews_per_s"] for each in found[1:]) > seconds:
            raise _LongEnough

    with tempfile.TemporaryDirectory() as scratch, suppress(_LongEnough):
        quiet = replace(runtime, tensorboard=False, checkpoint_every=0)
        train(make_job(packed, Path(scratch), model, replace(training, validate_every=1 << 40), quiet), on_figures)
    return _means(found[1:] or found)


def _means(figures: list[Figures]) -> dict[str, float]:
    """Means over equal numbers of steps; harmonic ones of rates."""

    def mean(name: str) -> float:
        values = [each[name] for each in figures]
        if name.endswith("_per_s"):
            return len(values) / sum(1 / value for value in values)
        return sum(values) / len(values)

    return {name: mean(name) for name in ("reviews_per_s", "tokens_per_s", "data_wait", "memory_bytes", "loss")}


def table_row(name: str, figures: Figures, ratio: float) -> str:
    """Figures on one line, with the ratio to the tutorial's rate."""
    return (
        f"{name:24} {figures['reviews_per_s']:10,.1f} reviews/s {figures['tokens_per_s']:12,.0f} tokens/s "
        f"{figures['data_wait']:6.2%} waiting {figures['memory_bytes'] / 1e9:6.2f} GB {ratio:7.1f} x the tutorial"
    )


def _compare(packed: Path, device: torch.device, seconds: float) -> None:
    baseline = measure_tutorial(packed, device, seconds)
    print(f"{'the tutorial, fp32':24} {baseline:10,.1f} reviews/s")
    model, training, runtime = read_preset("tutorial")
    log_every = 1 if device.type == "cpu" else 50
    runtime = replace(runtime, device="cpu" if device.type == "cpu" else "cuda", log_every=log_every)
    for name, variant in (("tutorial", model), ("tutorial, padded right", replace(model, padding="right"))):
        figures = measure_trainer(packed, variant, training, runtime, seconds)
        print(table_row(name, figures, figures["reviews_per_s"] / baseline))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="for each of the three; at least one step")
    parser.add_argument("--reviews", type=int, default=100_000, help="random reviews to train on; at least 400")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    options = parser.parse_args()
    with temporary_reviews(options.reviews) as packed:
        _compare(packed, choose_device(options.device), options.seconds)


if __name__ == "__main__":
    main()
