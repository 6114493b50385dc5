"""Small reviews, settings and jobs for the tests of training; a module of its own, because subprocesses import it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.precision import cpu_supports_bf16
from sentiment_pipeline.training.config import RuntimeConfig, TrainingConfig
from sentiment_pipeline.training.job import Job

VOCABULARY = 50

needs_bf16 = pytest.mark.skipif(not cpu_supports_bf16(), reason="this processor has no AVX-512, which bf16 needs")


def model_config(**changes: Any) -> ModelConfig:
    values: dict[str, Any] = dict(
        length=20,
        tail=5,
        padding="right",
        embedding=8,
        embedding_std=0.3,
        initialization="orthogonal",
        cell="fused",
        hidden=8,
        layers=1,
        bidirectional=True,
        pooling="max_mean",
        dropout=0.2,
        embedding_dropout=0.0,
        word_dropout=0.1,
        ngrams=2,
        ngram_buckets=997,
        linear_length=25,
    )
    return ModelConfig(**{**values, **changes})


def training_config(**changes: Any) -> TrainingConfig:
    values: dict[str, Any] = dict(
        seed=3,
        epochs=3,
        batch_size=16,
        learning_rate=0.01,
        beta2=0.99,
        weight_decay=0.01,
        schedule="cosine",
        warmup=0.1,
        clip_norm=1.0,
        label_smoothing=0.05,
        precision="fp32",
        start_from="",
        replay=1.0,
        vectors="",
        pretraining_epochs=0,
        pretraining_learning_rate=0.01,
        ngram_folds=3,
        linear_epochs=1,
        linear_batch_size=8,
        linear_learning_rate=0.02,
        validate_every=0,
    )
    return TrainingConfig(**{**values, **changes})


def runtime_config(**changes: Any) -> RuntimeConfig:
    values: dict[str, Any] = dict(device="cpu", loader_workers=0, checkpoint_every=4, log_every=3, tensorboard=False)
    return RuntimeConfig(**{**values, **changes})


def write_packed(folder: Path, reviews: int, seed: int, longest: int = 30, ids_type: type = np.uint16) -> Path:
    """Reviews of random words, with one word at a random position that shows the label: 2 negative, 3 positive."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(0, longest, reviews).astype(np.int32)
    labels = generator.integers(0, 2, reviews).astype(np.int8)
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    ids = generator.integers(4, VOCABULARY, offsets[-1]).astype(ids_type)
    not_empty = np.flatnonzero(lengths)
    ids[offsets[not_empty] + generator.integers(0, lengths[not_empty])] = 2 + labels[not_empty]
    return write_arrays(folder, ids=ids, offsets=offsets, labels=labels, lengths=lengths)


def write_arrays(folder: Path, **arrays: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def make_job(folder: Path, model: ModelConfig, training: TrainingConfig, runtime: RuntimeConfig) -> Job:
    """A job on 150 training and 60 validation reviews below `folder`."""
    if not (folder / "packed").exists():
        write_packed(folder / "packed" / "train", 150, seed=0)
        write_packed(folder / "packed" / "validation", 60, seed=1)
    return Job(
        folder / "packed",
        folder / "checkpoints",
        folder / "history.jsonl",
        model,
        training,
        runtime,
        VOCABULARY,
        "fingerprint",
    )


def job_in(folder: Path, **changes: Any) -> Job:
    """A job with the settings above; `changes` are of any of them, by their names."""

    def config(make: Callable[..., Any]) -> Any:
        return make(**{name: value for name, value in changes.items() if name in make().__dataclass_fields__})

    return make_job(folder, config(model_config), config(training_config), config(runtime_config))


def same_weights(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def history_of(job: Job) -> list[dict[str, float]]:
    return [json.loads(line) for line in job.history.read_text().splitlines()]
