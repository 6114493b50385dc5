import nltk.tokenize
import pytest
from nltk import redos

from sentiment_pipeline.text.tokenizer import abbreviation_words, known_words, word_tokenizer


@pytest.mark.parametrize(
    "text",
    ["", "it cost $0.00 at mr. smith's. i didn't like it!", 'he said "no." then left (for good).', "a ''b'' c... d?!"],
)
def test_tokens_are_those_of_word_tokenize(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nltk.tokenize, "_get_punkt_tokenizer", lambda language: word_tokenizer().sentences)
    assert word_tokenizer()(text) == nltk.word_tokenize(text)


def test_parameters_are_those_of_english_punkt() -> None:
    assert word_tokenizer().sentences.tokenize("dr. no came. he saw.") == ["dr. no came.", "he saw."]


def test_no_timeout_of_nltk_decides_what_the_tokens_are() -> None:
    word_tokenizer()
    assert redos.DEFAULT_TIMEOUT is None


def test_words_that_rules_name() -> None:
    assert {"mrs", "corp", "ph"} <= abbreviation_words() < known_words()
    assert {"cannot", "gonna", "wanna", "more", "administrators"} <= known_words()
    assert known_words().isdisjoint({"the", "book", "bcannotb"})
