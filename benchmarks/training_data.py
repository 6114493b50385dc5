"""Packed reviews of random words with the lengths of the real ones, so that the training half is measured by itself.

Lengths of Amazon reviews are about log-normal, with a mean of 93 tokens. The label follows from a few of the words, so
that the loss falls as in real training.
"""

import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import numpy as np

from sentiment_pipeline.limits import config_from_values
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.training.config import RuntimeConfig, TrainingConfig
from sentiment_pipeline.training.job import Job

MEAN, SIGMA, LONGEST = 93.0, 0.6, 1000
VOCABULARY = 60_000
TELLING = 200  # words that tell the label, half of them each


def write_reviews(folder: Path, reviews: int, seed: int) -> None:
    """`folder/{ids,offsets,labels,lengths}.npy`, in pieces, so that memory does not grow with the reviews."""
    generator = np.random.default_rng(seed)
    lengths = generator.lognormal(np.log(MEAN) - SIGMA**2 / 2, SIGMA, reviews).clip(1, LONGEST).astype(np.int32)
    labels = generator.integers(0, 2, reviews, dtype=np.int8)
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in (("lengths", lengths), ("labels", labels), ("offsets", offsets)):
        np.save(folder / f"{name}.npy", array)
    ids = np.lib.format.open_memmap(folder / "ids.npy", mode="w+", dtype=np.uint16, shape=(int(offsets[-1]),))
    for start in range(0, reviews, 1 << 17):
        begin, end = offsets[start], offsets[min(start + (1 << 17), reviews)]
        words = VOCABULARY * generator.random(end - begin, dtype=np.float32) ** 3  # frequent words have small ids
        ids[begin:end] = words.clip(2 + TELLING, VOCABULARY - 1)
    told = 2 + 2 * generator.integers(0, TELLING // 2, reviews) + labels
    ids[offsets[:-1] + (lengths * generator.random(reviews)).astype(np.int64)] = told
    ids.flush()


def preset(name: str) -> tuple[ModelConfig, TrainingConfig, RuntimeConfig]:
    """The training half's groups of a preset, without what the other half's packages are needed for."""
    values = tomllib.loads(resources.files("sentiment_pipeline.settings.presets").joinpath(f"{name}.toml").read_text())
    return (
        config_from_values(ModelConfig, values["model"], name),
        config_from_values(TrainingConfig, values["training"], name),
        config_from_values(RuntimeConfig, values["runtime"], name),
    )


@contextmanager
def packed(reviews: int, validation: int = 1000) -> Iterator[Path]:
    """A temporary folder with `train` and `validation`."""
    with tempfile.TemporaryDirectory() as folder:
        write_reviews(Path(folder) / "train", reviews, seed=0)
        write_reviews(Path(folder) / "validation", validation, seed=1)
        yield Path(folder)


def job(folder: Path, scratch: Path, model: ModelConfig, training: TrainingConfig, runtime: RuntimeConfig) -> Job:
    return Job(folder, scratch / "checkpoints", scratch / "history.jsonl", model, training, runtime, VOCABULARY, "")
