from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.language_model import LanguageModel, pretrained_weights
from sentiment_pipeline.models.sentiment import SentimentModel
from sentiment_pipeline.training import language_model
from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.objectives import Context
from sentiment_pipeline.training.pretraining import NextWord, pretraining_job
from sentiment_pipeline.training.trainer import train
from tests.training.examples import VOCABULARY, make_job, model_config, runtime_config, training_config, write_arrays

LENGTHS = torch.tensor([7, 1, 0, 4])


def make(**changes: Any) -> tuple[LanguageModel, torch.Tensor]:
    torch.manual_seed(0)
    config = model_config(dropout=0.0, linear_length=0, **changes)
    ids = torch.randint(1, VOCABULARY, (7, len(LENGTHS))) * (torch.arange(7)[:, None] < LENGTHS)
    return LanguageModel(config, VOCABULARY), ids


@pytest.mark.parametrize("changes", [dict(bidirectional=True, layers=2), dict(bidirectional=False, layers=2)])
def test_the_loss_is_that_of_each_word_given_those_before_or_after(changes: dict[str, Any]) -> None:
    model, ids = make(**changes)
    model.bias.data.normal_()
    expected = []
    for column, length in enumerate(LENGTHS.tolist()):
        losses = []
        inputs = torch.nn.functional.pad(model.embedding(ids[:, column : column + 1]), (0, model.config.ngrams))
        outputs = model.lstm(inputs, LENGTHS[column : column + 1])[:, 0].chunk(len(model.decoders), -1)
        for place in range(length - 1):
            for decoder, output, seen, unseen in (
                (0, outputs[0], place, place + 1),
                (1, outputs[-1], place + 1, place),
            ):
                if decoder < len(model.decoders):
                    logits = model.embedding.weight @ model.decoders[decoder](output[seen]) + model.bias
                    losses.append(cross_entropy(logits, ids[unseen, column].long()))
        expected.append(torch.stack(losses).mean() if losses else torch.zeros(()))
    torch.testing.assert_close(model(ids, LENGTHS), torch.stack(expected))


@pytest.mark.parametrize(("part", "seen"), [(0, slice(None, 4)), (1, slice(3, None))])
def test_no_direction_sees_what_it_predicts(part: int, seen: slice) -> None:
    """The output at the fourth place of a review of seven words depends on its own side alone."""
    model, ids = make(layers=2)
    vectors = torch.nn.functional.pad(model.embedding(ids[:, :1]), (0, model.config.ngrams)).detach().requires_grad_()
    model.lstm(vectors, LENGTHS[:1])[3].chunk(2, -1)[part].sum().backward()
    assert vectors.grad is not None
    assert torch.equal(
        vectors.grad.abs().sum((1, 2)) > 0, torch.zeros(7, dtype=torch.bool).index_fill(0, torch.arange(7)[seen], True)
    )


def test_pieces_give_the_same_loss_and_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    model, ids = make()
    found = []
    for positions in (1 << 13, 4):
        monkeypatch.setattr(language_model, "POSITIONS", positions)
        model.zero_grad()
        losses = model(ids, LENGTHS)
        losses.sum().backward()
        found.append([losses, *(each.grad for each in model.parameters())])
    for whole, pieced in zip(*found, strict=True):
        torch.testing.assert_close(whole, pieced)


def test_rare_words_are_not_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_model, "PREDICTED", 10)
    model, ids = make()
    assert len(model.bias) == 10
    assert model(ids.masked_fill(ids > 0, 10), LENGTHS).eq(0).all()
    assert model(ids.clamp(max=9), LENGTHS)[0] > 0


@pytest.mark.parametrize("changes", [{}, dict(bidirectional=False, layers=3), dict(layers=2, ngrams=0)])
def test_the_weights_fit_the_model_to_come(changes: dict[str, Any]) -> None:
    model, _ = make(**changes)
    theirs = SentimentModel(model.config, VOCABULARY).state_dict()
    ours = pretrained_weights(model.state_dict())
    layers = 2 if model.config.bidirectional else model.config.layers
    assert len(ours) == 1 + 4 * layers
    assert all(theirs[name].shape == each.shape for name, each in ours.items())


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
    told: list[float] = []
    train(job, lambda figures: told.append(figures.get("pretraining_loss", np.inf)))
    assert min(told) < 0.5 < 2.0 < told[0]  # the logarithm of 10 is 2.3


def test_its_job_is_the_trainings_but_for_what_is_its_own(tmp_path: Path) -> None:
    job = make_job(tmp_path, model_config(padding="left"), training_config(pretraining_epochs=5), runtime_config())
    own = pretraining_job(job)
    assert own.checkpoints.parent == job.checkpoints
    assert own.training.epochs == 5
    assert own.model == replace(job.model, padding="right", linear_length=0)
    assert isinstance(own.model, ModelConfig)


def test_validation_is_the_mean_over_the_reviews(tmp_path: Path) -> None:
    job = pretraining_job(make_job(tmp_path, model_config(), training_config(pretraining_epochs=1), runtime_config()))
    context = Context.opened(job, torch.device("cpu"), Ranks(0, 1))
    objective = NextWord(context)
    found = objective.validate(objective.model, lambda: None)
    assert found["reviews"] == len(context.validation) == 60
    assert found["loss"] == pytest.approx(float(context.scores(objective.model, lambda: None).mean()))
    assert 2 < found["loss"] < 5  # the logarithm of 50 is 3.9
