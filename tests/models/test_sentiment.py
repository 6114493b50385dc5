import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sentiment_pipeline.data.batches import gather_ids
from sentiment_pipeline.models.sentiment import SentimentModel
from tests.training.examples import VOCABULARY, model_config

IDS = torch.randint(2, VOCABULARY, (9, 4), generator=torch.Generator().manual_seed(0))
LENGTHS = torch.tensor([9, 1, 0, 5])
CHANGES = [
    dict(cell="scratch"),
    dict(layers=2, embedding_dropout=0.3),
    dict(bidirectional=False),
    dict(pooling="last", ngrams=0),
    dict(pooling="last", ngrams=3),
    dict(initialization="uniform"),
]


class TutorialModel(nn.Module):
    """The tutorial's network, in the plainest form: dropout and linear unit at every step, and the last step taken."""

    def __init__(self, words: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, embedding)
        self.lstm = nn.LSTM(embedding, hidden, 2, dropout=0.5, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, ids: Tensor) -> Tensor:
        outputs, _ = self.lstm(self.embedding(ids))
        probabilities: Tensor = self.fc(self.dropout(outputs)).sigmoid()
        return probabilities[:, -1, 0]


def test_one_choice_of_the_settings_is_the_tutorials_model() -> None:
    theirs = TutorialModel(VOCABULARY, 6, 5).eval()
    ours = SentimentModel(
        model_config(
            length=9,
            tail=0,
            padding="left",
            embedding=6,
            hidden=5,
            layers=2,
            bidirectional=False,
            pooling="last",
            dropout=0.5,
            word_dropout=0.0,
            ngrams=0,
            embedding_std=1.0,
            initialization="uniform",
        ),
        VOCABULARY,
    ).eval()
    ours.embedding.load_state_dict(theirs.embedding.state_dict())
    ours.linear.load_state_dict(theirs.fc.state_dict())
    for layer, each in enumerate(ours.lstm.forwards):
        each.load_state_dict(
            {
                f"{kind}_l0": getattr(theirs.lstm, f"{kind}_l{layer}")
                for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
        )
    ids = IDS.clone()
    ids[:4, 1] = 0  # padding on the left
    assert torch.allclose(ours(ids, torch.tensor([9, 5, 9, 9])).sigmoid(), theirs(ids.T), atol=1e-6)
    drawn = [sum(each.numel() for each in model.parameters()) for model in (ours, theirs)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("changes", CHANGES)
def test_padding_on_the_right_changes_no_logit(changes: dict[str, object]) -> None:
    model = SentimentModel(model_config(**changes), VOCABULARY).eval()
    together = model(IDS * (torch.arange(9)[:, None] < LENGTHS), LENGTHS)
    assert together.dtype == torch.float32
    for review, length in enumerate(LENGTHS.tolist()):
        alone = model(IDS[: max(1, length), review : review + 1] * (length > 0), LENGTHS[review : review + 1])
        assert torch.allclose(alone, together[review], atol=1e-6)


@pytest.mark.parametrize("changes", CHANGES)
def test_every_weight_gets_a_gradient(changes: dict[str, object]) -> None:
    model = SentimentModel(model_config(**changes), VOCABULARY).train()
    model(IDS, LENGTHS).square().sum().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.any(), name
        assert weight.grad.isfinite().all(), name


def test_fused_and_scratch_cells_share_weights_and_results() -> None:
    fused = SentimentModel(model_config(), VOCABULARY).eval()
    scratch = SentimentModel(model_config(cell="scratch"), VOCABULARY).eval()
    scratch.load_state_dict(fused.state_dict())
    assert torch.allclose(fused(IDS, LENGTHS), scratch(IDS, LENGTHS), atol=1e-6)


def test_word_dropout_hides_words_only_in_training() -> None:
    model = SentimentModel(model_config(word_dropout=0.5), VOCABULARY)
    hidden = model.train()._with_words_hidden(IDS.expand(100, 9, 4))
    assert set(hidden[hidden != IDS].tolist()) == {1}
    assert (hidden == 1).float().mean() == pytest.approx(0.5, abs=0.05)
    assert torch.equal(model.eval()._with_words_hidden(IDS), IDS)


def test_orthogonal_first_weights() -> None:
    model = SentimentModel(model_config(), VOCABULARY)
    weights = model.lstm.backwards[0].state_dict()
    for gate in weights["weight_hh_l0"].chunk(4):
        assert torch.allclose(gate @ gate.T, torch.eye(8), atol=1e-5)
    assert (weights["bias_ih_l0"] + weights["bias_hh_l0"]).chunk(4)[1].tolist() == [1.0] * 8


def test_of_a_longer_review_the_lstm_reads_what_its_truncation_keeps() -> None:
    reviews = [list(range(2, 2 + length)) for length in (3, 9, 12, 7)]
    model = SentimentModel(model_config(length=8, tail=3, linear_length=30), VOCABULARY)
    flat, offsets = np.array([each for review in reviews for each in review]), np.cumsum([0, *map(len, reviews)])
    expected, kept = gather_ids(flat, offsets, np.arange(4), model.config.lstm_truncation)
    whole, lengths = gather_ids(flat, offsets, np.arange(4), model.config.truncation)
    found, found_lengths = model.truncated(torch.from_numpy(whole), torch.from_numpy(lengths))
    assert found.tolist() == expected.tolist()
    assert found_lengths.tolist() == kept.tolist()


def test_the_linear_head_speaks_only_after_training() -> None:
    model = SentimentModel(model_config(dropout=0.0, word_dropout=0.0), VOCABULARY)
    assert model.head is not None
    alone = model.train()(IDS, LENGTHS)
    model.head.bias.fill_(2.0)
    assert torch.equal(model(IDS, LENGTHS), alone)
    assert torch.allclose(model.eval()(IDS, LENGTHS), (alone + 2) / 2, atol=1e-6)
