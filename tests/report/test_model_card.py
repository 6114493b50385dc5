from sentiment_pipeline.report.model_card import model_card
from tests.report.test_page import METRICS

MODEL = {
    "bidirectional": True,
    "layers": 1,
    "hidden": 128,
    "pooling": "max_mean",
    "embedding": 100,
    "length": 400,
    "ngrams": 0,
}


def test_the_card_tells_of_the_model_its_figures_and_its_making() -> None:
    card = model_card("quick", METRICS, {"model": MODEL, "training": {"learning_rate": 0.002}}, 30_002)
    for told in (
        "# Sentiment of reviews: quick",
        "bidirectional LSTM (1 x 128 units, max and mean pooling",
        "30,002 words",
        "| test | 2,000 | 94.45% | 0.1312 | 0.9400 |",
        "| validation | 1,000 | 95.10% | 0.1280 |  |",
        "| `training.learning_rate` | 0.002 |",
        "| `epochs` | 3 |",
        "predict --model",
    ):
        assert told in card, told
    assert "n-grams" not in card


def test_ngrams_are_mentioned() -> None:
    card = model_card("full", METRICS, {"model": {**MODEL, "bidirectional": False, "ngrams": 3}}, 100)
    assert "one-directional" in card
    assert "n-grams of up to 3 words" in card


def test_names_cannot_break_the_tables() -> None:
    card = model_card("a\n# b <script>", METRICS, {"model": MODEL, "training": {"seed": "x | y\n| z"}}, 100)
    assert "# Sentiment of reviews: a # b &lt;script>\n" in card
    assert "| `training.seed` | x \\| y \\| z |" in card
