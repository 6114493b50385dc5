"""Random reviews with the lengths of real ones, to measure training without preparing.

Lengths of Amazon reviews are about log-normal, with a mean of 93 tokens. The label follows from one of the words, so
the loss falls as in real training. Needs only torch, numpy, pyarrow, safetensors and the source code.
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

__all__ = ["VOCABULARY", "make_job", "read_preset", "temporary_reviews"]

VOCABULARY = 60_000

_MEAN, _SIGMA, _LONGEST = 93.0, 0.6, 1000  # of the lengths in tokens
_LABEL_WORDS = 200  # words that show the label, half of them for each
_PIECE = 1 << 17  # reviews


def _write_reviews(folder: Path, reviews: int, seed: int) -> None:
    """Write `folder/{ids,offsets,labels,lengths}.npy`, the ids in pieces, to save memory."""
    generator = np.random.default_rng(seed)
    lengths = generator.lognormal(np.log(_MEAN) - _SIGMA**2 / 2, _SIGMA, reviews).clip(1, _LONGEST).astype(np.int32)
    labels = generator.integers(0, 2, reviews, dtype=np.int8)
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in (("lengths", lengths), ("labels", labels), ("offsets", offsets)):
        np.save(folder / f"{name}.npy", array)
    ids = np.lib.format.open_memmap(folder / "ids.npy", mode="w+", dtype=np.uint16, shape=(int(offsets[-1]),))
    for start in range(0, reviews, _PIECE):
        begin, end = offsets[start], offsets[min(start + _PIECE, reviews)]
        words = VOCABULARY * generator.random(end - begin, dtype=np.float32) ** 3  # frequent words have small ids
        ids[begin:end] = words.clip(2 + _LABEL_WORDS, VOCABULARY - 1)
    label_words = 2 + 2 * generator.integers(0, _LABEL_WORDS // 2, reviews) + labels
    ids[offsets[:-1] + (lengths * generator.random(reviews)).astype(np.int64)] = label_words
    ids.flush()


def read_preset(name: str) -> tuple[ModelConfig, TrainingConfig, RuntimeConfig]:
    """The groups of a preset that training needs, without importing pydantic."""
    values = tomllib.loads(resources.files("sentiment_pipeline").joinpath(f"settings/presets/{name}.toml").read_text())
    return (
        config_from_values(ModelConfig, values["model"], name),
        config_from_values(TrainingConfig, values["training"], name),
        config_from_values(RuntimeConfig, values["runtime"], name),
    )


@contextmanager
def temporary_reviews(reviews: int, validation: int = 1000) -> Iterator[Path]:
    """A temporary folder with the packed splits `train` and `validation`, of so many reviews."""
    with tempfile.TemporaryDirectory() as folder:
        _write_reviews(Path(folder) / "train", reviews, seed=0)
        _write_reviews(Path(folder) / "validation", validation, seed=1)
        yield Path(folder)


def make_job(packed: Path, scratch: Path, model: ModelConfig, training: TrainingConfig, runtime: RuntimeConfig) -> Job:
    """A job on reviews of `temporary_reviews`; `scratch` gets checkpoints and history."""
    return Job(packed, scratch / "checkpoints", scratch / "history.jsonl", model, training, runtime, VOCABULARY, "")
