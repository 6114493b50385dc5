from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from sentiment_pipeline.models import language_model
from sentiment_pipeline.models.language_model import LanguageModel, pretrained_weights
from sentiment_pipeline.models.sentiment import SentimentModel
from tests.training.examples import VOCABULARY, model_config

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
        for position in range(length - 1):
            for decoder, output, seen, unseen in (
                (0, outputs[0], position, position + 1),
                (1, outputs[-1], position + 1, position),
            ):
                if decoder < len(model.decoders):
                    logits = model.embedding.weight @ model.decoders[decoder](output[seen]) + model.bias
                    losses.append(cross_entropy(logits, ids[unseen, column].long()))
        expected.append(torch.stack(losses).mean() if losses else torch.zeros(()))
    torch.testing.assert_close(model(ids, LENGTHS), torch.stack(expected))


@pytest.mark.parametrize(("part", "seen"), [(0, slice(None, 4)), (1, slice(3, None))])
def test_no_direction_sees_what_it_predicts(part: int, seen: slice) -> None:
    """The output at the fourth position of a review of seven words depends on its own side alone."""
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
        monkeypatch.setattr(language_model, "_LOGITS_AT_ONCE", positions)
        model.zero_grad()
        losses = model(ids, LENGTHS)
        losses.sum().backward()
        found.append([losses, *(each.grad for each in model.parameters())])
    for whole, pieced in zip(*found, strict=True):
        torch.testing.assert_close(whole, pieced)


def test_rare_words_are_not_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_model, "_PREDICTED", 10)
    model, ids = make()
    assert len(model.bias) == 10
    assert model(ids.masked_fill(ids > 0, 10), LENGTHS).eq(0).all()
    assert model(ids.clamp(max=9), LENGTHS)[0] > 0


@pytest.mark.parametrize("changes", [{}, dict(bidirectional=False, layers=3), dict(layers=2, ngrams=0)])
def test_the_weights_fit_the_sentiment_model(changes: dict[str, Any]) -> None:
    model, _ = make(**changes)
    theirs = SentimentModel(model.config, VOCABULARY).state_dict()
    ours = pretrained_weights(model.state_dict())
    layers = 2 if model.config.bidirectional else model.config.layers
    assert len(ours) == 1 + 4 * layers
    assert all(theirs[name].shape == each.shape for name, each in ours.items())
