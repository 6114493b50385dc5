"""What explanations say, held against `predict` alone: texts without the words that they name."""

import bz2
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from sentiment_pipeline.predict import Explanation, Predictor, Word, explain


@pytest.fixture(scope="module")
def ready(trained: Path) -> Predictor:
    return Predictor(trained / "model")


@pytest.fixture(scope="module")
def reviews(sample: Path) -> list[str]:
    lines = bz2.decompress((sample / "test.ft.txt.bz2").read_bytes()).decode().splitlines()
    return [line.partition(" ")[2] for line in lines[:30]]


def without(text: str, words: Iterable[Word]) -> str:
    for word in sorted(words, key=lambda word: -word.start):
        text = text[: word.start] + text[word.end :]
    return text


def logit(probabilities: np.ndarray) -> np.ndarray:
    return np.log(probabilities / (1 - probabilities))


def test_without_the_named_words_the_score_moves_as_they_say(ready: Predictor, reviews: list[str]) -> None:
    """All words of one sign among the named ones are taken out together, and `predict` scores what is left."""
    for sign in (1, -1):
        explained = zip(reviews, ready.explain(reviews), strict=True)
        named = [(text, [word for word in each.words if word.effect * sign > 0]) for text, each in explained]
        named = [(text, words) for text, words in named if words]
        before = logit(ready.predict_proba([text for text, _ in named]))
        after = logit(ready.predict_proba([without(text, words) for text, words in named]))
        moved = (before - after) * sign
        said = np.array([sum(word.effect for word in words) * sign for _, words in named])
        assert len(named) >= 20
        assert np.mean(moved > 0) >= 0.9
        assert np.corrcoef(moved, said)[0, 1] > 0.5


def test_an_effect_is_what_taking_the_word_out_does_to_the_logit(ready: Predictor) -> None:
    text = "I love this great book, it isn't bad"
    (answer,) = ready.explain([text], most=None)
    assert (answer.label, answer.probability) == ready.predict([text])[0]
    for word in answer.words:
        difference = logit(ready.predict_proba([text])) - logit(ready.predict_proba([without(text, [word])]))
        assert word.effect == pytest.approx(difference[0], abs=0.02)  # predict may compute in bf16


def test_words_are_as_they_stand_in_the_text_the_strongest_first(ready: Predictor) -> None:
    text = "It ISN'T Great!  See WWW.Example.com<br />İyi 10/10 😀 cannot"
    (answer,) = ready.explain([text], most=None)
    assert {word.word for word in answer.words} <= {
        *["It", "ISN'T", "Great", "!", "See", "WWW.Example.com", "İyi", "10/10", "😀", "cannot"]
    }
    assert {"ISN'T", "Great", "WWW.Example.com"} <= {word.word for word in answer.words}
    assert all(text[word.start : word.end] == word.word for word in answer.words)
    strengths = [abs(word.effect) for word in answer.words]
    assert strengths == sorted(strengths, reverse=True)
    assert ready.explain([text], most=2)[0].words == answer.words[:2]


@pytest.mark.parametrize("text", ["", "   ", "\n", "<br />"])
def test_a_text_without_words_has_none(ready: Predictor, text: str) -> None:
    assert ready.explain([text]) == [Explanation(*ready.predict([text])[0], [])]


def test_a_long_text_is_taken_apart_into_as_many_pieces_as_allowed(
    ready: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain, "_MOST_PIECES", 4)
    monkeypatch.setattr(explain, "_BATCH_TOKENS", 30)
    text = "good book bad film great story poor plot nice end"
    (answer,) = ready.explain([text], most=None)
    assert sorted(word.start for word in answer.words) == [0, 14, 31, 46]
    assert {word.word for word in answer.words} == {"good book bad", "film great story", "poor plot nice", "end"}


def test_one_text_alone_is_refused(ready: Predictor) -> None:
    with pytest.raises(TypeError, match="list of texts"):
        ready.explain("great")
