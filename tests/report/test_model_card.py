from typing import Any

from sentiment_pipeline.report.model_card import model_card
from tests.report.test_page import METRICS

MODEL: dict[str, Any] = {
    "bidirectional": True,
    "layers": 1,
    "hidden": 128,
    "pooling": "max_mean",
    "embedding": 100,
    "length": 400,
    "ngrams": 0,
}


def test_the_card_describes_the_model_its_figures_and_how_it_was_made() -> None:
    card = model_card("quick", METRICS, {"model": MODEL, "training": {"learning_rate": 0.002}}, 30_002)
    for shown in (
        "# Sentiment of reviews: quick\n",
        "A bidirectional LSTM (1 x 128 units, max and mean pooling, 100 numbers a word, at most 400 tokens of a "
        "review), with a vocabulary of 30,002 words.\n",
        "| test | 2,000 | 94.45% | 0.1312 | 0.94 |\n| validation | 1,000 | 95.10% | 0.128 | – |\n",
        "because they are not labelled reviews: 12.\n",
        "| Settings | |\n|---|---|\n| `model.bidirectional` | yes |\n",
        "| `training.learning_rate` | 0.002 |\n",
        "| `epochs` | 3 |\n",
        "predict --model",
    ):
        assert shown in card, shown
    assert "n-grams" not in card
    assert "`confusion`" not in card


def test_ngrams_are_mentioned() -> None:
    card = model_card("full", METRICS, {"model": {**MODEL, "bidirectional": False, "ngrams": 3}}, 100)
    assert "one-directional" in card
    assert "n-grams of up to 3 words" in card


def test_what_is_not_known_is_left_out() -> None:
    card = model_card("full", {"test": METRICS["test"]}, {"model": MODEL}, 100)
    assert "| test |" in card
    assert "| validation |" not in card
    assert "rejected" not in card
    assert "| Training |" not in card


def test_without_test_reviews_there_are_no_figures() -> None:
    card = model_card("full", {"test": {"reviews": 0, "accuracy": None, "loss": None, "f1": None}}, {"model": MODEL}, 9)
    assert "| test | 0 | – | – | – |\n" in card


def test_names_cannot_break_the_tables() -> None:
    card = model_card("a\n# b <script>", METRICS, {"model": MODEL, "training": {"seed": "x | y\n| z"}}, 100)
    assert "# Sentiment of reviews: a # b &lt;script>\n" in card
    assert "| `training.seed` | x \\| y \\| z |" in card


def test_what_was_found_in_the_data_is_said() -> None:
    train = {"duplicates": 4, "near_duplicates": 5, "contradictory": 6}
    quality = {"train": train, "leakage": {"exact": 1, "near": 3}, "dropped": 7}
    card = model_card("quick", {**METRICS, "quality": quality}, {"model": MODEL}, 100)
    assert "- training reviews that are test reviews too: 1, nearly: 3\n" in card
    assert "- duplicates among the training reviews: 4, nearly: 5\n" in card
    assert "- training reviews whose text comes with both labels: 6\n" in card
    assert "- training reviews left out for one of the first two reasons: 7\n" in card
    assert "was not\nchecked" not in card
    assert "was not\nchecked" in model_card("quick", METRICS, {"model": MODEL}, 100)
