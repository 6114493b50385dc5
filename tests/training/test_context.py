from pathlib import Path

import numpy as np
import pytest
import torch

from sentiment_pipeline.data.truncation import Truncation
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.models.evaluation import score_split
from sentiment_pipeline.models.sentiment import SentimentModel
from sentiment_pipeline.training.context import Context
from sentiment_pipeline.training.distributed import Ranks
from tests.training.examples import VOCABULARY, job_in, model_config, write_packed

CPU = torch.device("cpu")


def test_it_opens_both_splits_of_the_job(tmp_path: Path) -> None:
    context = Context.open(job_in(tmp_path, precision="fp32"), CPU, Ranks(0, 1))
    assert (len(context.reviews), len(context.validation)) == (150, 60)
    assert context.dtype == torch.float32


def test_no_reviews_to_train_on_are_refused(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    for name in ("ids", "labels", "lengths", "offsets"):
        (tmp_path / "packed" / "train" / f"{name}.npy").unlink()
    write_packed(tmp_path / "packed" / "train", 0, seed=0)
    with pytest.raises(PipelineError, match="no reviews to train on"):
        Context.open(job, CPU, Ranks(0, 1))


def test_the_loader_has_the_settings_of_the_job(tmp_path: Path) -> None:
    job = job_in(tmp_path, batch_size=16, epochs=3, seed=7, loader_workers=2, length=20, tail=5, linear_length=25)
    loader = Context.open(job, CPU, Ranks(1, 2)).loader()
    assert (loader.order.batch_size, loader.order.seed, loader.epochs, loader.workers) == (16, 7, 3, 2)
    assert loader.truncation == Truncation(20, 5, "right")
    assert (loader.pin, loader.rank, loader.ranks) == (False, 1, 2)


def test_the_scores_are_those_of_the_model(tmp_path: Path) -> None:
    context = Context.open(job_in(tmp_path), CPU, Ranks(0, 1))
    model = SentimentModel(model_config(), VOCABULARY)
    assert np.array_equal(context.score_validation(model, lambda: None), score_split(model, context.validation))
