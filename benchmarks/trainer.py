"""The tutorial's own loop against this trainer: the same network on the same reviews, reviews a second.

    python -m benchmarks.trainer [--seconds 60] [--device auto]

`seed` is the preset as it is, padded on the left to 200 tokens like the tutorial; `seed, padded right` is the same
network with the padding left out.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.training_data import VOCABULARY, job, packed, preset
from benchmarks.tutorial.training import BATCH, steps
from sentiment_pipeline.data.packed import open_packed
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.precision import choose_device
from sentiment_pipeline.training.config import RuntimeConfig, TrainingConfig
from sentiment_pipeline.training.trainer import train

Figures = Mapping[str, float]


class Enough(Exception):
    """Measured for long enough."""


def tutorial(folder: Path, device: torch.device, seconds: float) -> float:
    """Reviews a second of the tutorial's loop, without its first step where there is time for a second."""
    taken: list[float] = []
    for each in steps(open_packed(folder / "train", VOCABULARY), VOCABULARY, device):
        taken.append(each)
        if sum(taken) > seconds:
            break
    steady = taken[1:] or taken
    return BATCH * len(steady) / sum(steady)


def trained(
    folder: Path, model: ModelConfig, training: TrainingConfig, runtime: RuntimeConfig, seconds: float
) -> dict[str, float]:
    """Means of the trainer's own figures over some seconds, without the first; of pretraining, if there is any."""
    told: list[Figures] = []

    def tell(figures: Figures) -> None:
        told.append({name.removeprefix("pretraining_"): value for name, value in figures.items()})
        rates = [each["reviews_per_s"] for each in told[1:] if "reviews_per_s" in each]
        if sum(runtime.log_every * training.batch_size / rate for rate in rates) > seconds:
            raise Enough

    with tempfile.TemporaryDirectory() as scratch:
        quiet = replace(runtime, tensorboard=False, checkpoint_every=0)
        with suppress(Enough):
            train(job(folder, Path(scratch), model, replace(training, validate_every=1 << 40), quiet), tell)
    return means([each for each in told[1:] if "reviews_per_s" in each] or told[:1])


def means(told: list[Figures]) -> dict[str, float]:
    """Means over equal numbers of steps; of rates, the harmonic ones."""

    def mean(name: str) -> float:
        values = [each[name] for each in told]
        if name.endswith("_per_s"):
            return len(values) / sum(1 / value for value in values)
        return sum(values) / len(values)

    return {name: mean(name) for name in ("reviews_per_s", "tokens_per_s", "data_wait", "memory_bytes", "loss")}


def line(name: str, found: Figures, ratio: float) -> str:
    return (
        f"{name:24} {found['reviews_per_s']:10,.1f} reviews/s {found['tokens_per_s']:12,.0f} tokens/s "
        f"{found['data_wait']:6.2%} waiting {found['memory_bytes'] / 1e9:6.2f} GB {ratio:7.1f} x the tutorial"
    )


def compare(folder: Path, device: torch.device, seconds: float, tell: Callable[[str], object] = print) -> None:
    base = tutorial(folder, device, seconds)
    tell(f"{'tutorial, fp32':24} {base:10,.1f} reviews/s")
    model, training, runtime = preset("tutorial")
    runtime = replace(
        runtime, device="cpu" if device.type == "cpu" else "cuda", log_every=1 if device.type == "cpu" else 50
    )
    for name, variant in (("tutorial", model), ("seed, padded right", replace(model, padding="right"))):
        found = trained(folder, variant, training, runtime, seconds)
        tell(line(name, found, found["reviews_per_s"] / base))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="for each of the three, at least one step")
    parser.add_argument("--reviews", type=int, default=100_000)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    given = parser.parse_args()
    with packed(given.reviews) as folder:
        compare(folder, choose_device(replace(preset("tutorial")[2], device=given.device)), given.seconds)


if __name__ == "__main__":
    main()
