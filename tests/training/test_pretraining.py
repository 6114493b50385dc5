from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.training.context import Context
from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.pretraining import NextWord, pretraining_figures, pretraining_job
from sentiment_pipeline.training.train import train
from tests.training.examples import make_job, model_config, runtime_config, training_config, write_arrays


def test_it_learns_which_word_follows(tmp_path: Path) -> None:
    """In these reviews each word is followed by the next of a circle of ten."""
    job = make_job(
        tmp_path,
        model_config(dropout=0.0, padding="left"),
        training_config(pretraining_epochs=20, pretraining_learning_rate=0.03, epochs=1),
        runtime_config(),
    )
    for split, reviews in (("train", 150), ("validation", 60)):
        starts = np.random.default_rng(0).integers(0, 10, reviews)
        ids = (starts[:, None] + np.arange(20)) % 10 + 4
        write_arrays(
            job.packed / split,
            ids=ids.astype(np.uint16).ravel(),
            offsets=20 * np.arange(reviews + 1),
            labels=(starts % 2).astype(np.int8),
            lengths=np.full(reviews, 20, np.int32),
        )
    losses: list[float] = []
    train(job, lambda figures: losses.append(figures.get("pretraining_loss", np.inf)))
    assert min(losses) < 0.5 < 2.0 < losses[0]  # the logarithm of 10 is 2.3


def test_its_job_differs_from_the_trainings_where_it_must(tmp_path: Path) -> None:
    job = make_job(tmp_path, model_config(padding="left"), training_config(pretraining_epochs=5), runtime_config())
    own = pretraining_job(job)
    assert own.checkpoints.parent == job.checkpoints
    assert own.training.epochs == 5
    assert own.model == replace(job.model, padding="right", linear_length=0)
    assert isinstance(own.model, ModelConfig)


def test_validation_is_the_mean_over_the_reviews(tmp_path: Path) -> None:
    job = pretraining_job(make_job(tmp_path, model_config(), training_config(pretraining_epochs=1), runtime_config()))
    context = Context.open(job, torch.device("cpu"), Ranks(0, 1))
    objective = NextWord(context)
    found = objective.validate(lambda: None)
    assert found["reviews"] == len(context.validation) == 60
    assert found["loss"] == pytest.approx(float(context.score_validation(objective.model, lambda: None).mean()))
    assert 2 < found["loss"] < 5  # the logarithm of 50 is 3.9


def test_figures_have_names_of_their_own() -> None:
    found: list[object] = []
    pretraining_figures(found.append)({"step": 3, "steps": 9, "epoch": 0.5, "loss": 4.5, "validation_accuracy": 0.0})
    assert found == [{"step": 3, "steps": 9, "epoch": 0.5, "pretraining_loss": 4.5}]
