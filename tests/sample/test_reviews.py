import re
from collections import Counter
from collections.abc import Hashable
from hashlib import sha256
from itertools import pairwise

import numpy as np
import pytest

from sentiment_pipeline.sample.reviews import _MAX_BYTES, BLOCK_REVIEWS, _draw_templates, _line, make_block


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return [line for index in range(3) for line in make_block(7, index)]


@pytest.fixture(scope="module")
def texts(lines: list[bytes]) -> list[str]:
    return [line[len("__label__1 ") : -1].decode() for line in lines]


def test_lines_are_in_the_real_format_and_balanced(lines: list[bytes]) -> None:
    assert len(lines) == 3 * BLOCK_REVIEWS
    assert all(re.fullmatch(rb"__label__[12] [^\n]*\S: \S[^\n]*\S\n", line) for line in lines)
    labels = [line[9:10] for line in lines]
    assert all({first, second} == {b"1", b"2"} for first, second in zip(labels[::2], labels[1::2], strict=True))
    assert 0.45 < np.mean([label == b"1" for label in labels[::2]]) < 0.55, "the order within a pair is random"


def test_a_block_is_a_function_of_seed_and_number() -> None:
    assert make_block(7, 1) == make_block(7, 1)
    assert make_block(7, 1) != make_block(7, 2)
    assert make_block(7, 1) != make_block(8, 1)


@pytest.mark.parametrize(
    ("seed", "index", "digest"),
    [
        (0, 0, "ead1c0966076b4967fcd758c58d450d596534bcc87252c90fa0638966a55a594"),
        (7, 1, "4e69c71d23f80870971529f853aeb02e778ad9cb0aa85499f370c68fb749bc6b"),
        (3, 250, "f9254c089306cf8cc1f2fb572e5c5e0aa169a992fe4dd35ecd782f903c2cf394"),
    ],
)
def test_the_reviews_of_a_seed_never_change(seed: int, index: int, digest: str) -> None:
    assert sha256(b"".join(make_block(seed, index))).hexdigest() == digest


def test_some_reviews_are_in_upper_or_lower_case(texts: list[str]) -> None:
    upper, lower = (np.mean([case(text) == text for text in texts]) for case in (str.upper, str.lower))
    assert 0.003 < upper < 0.008
    assert 0.008 < lower < 0.016


def test_lengths_are_like_the_real_ones(texts: list[str]) -> None:
    words = np.array([len(text.split()) for text in texts])
    assert 75 < words.mean() < 85
    assert 0.5 < np.log(words).std() < 0.7
    assert _MAX_BYTES - 20 < max(len(text.encode()) for text in texts) <= _MAX_BYTES


def test_texts_contain_what_makes_tokenizing_hard(texts: list[str]) -> None:
    patterns = {
        "abbreviations": r"\b(Mr\.|U\.S\.|e\.g\.)",
        "digits": r"\d",
        "prices": r"\$\d+\.\d\d",
        "quotes": r'"\w',
        "addresses": r"www\.|http:|https:|\.com",
        "emoticons": r":-?[()]",
        "contractions": r"\w('s|n't|'ve|'ll|'d|'m)\b",
        "letters beyond ASCII": r"[^\W\d_a-zA-Z]",
        "capitals": r"\b[A-Z]{4,}\b",
        "ellipses": r"\.\.\.",
        "parentheses": r"\(",
        "hyphens": r"\w-\w",
        "no space after a full stop": r"[a-z]\.[A-Z]",
    }
    fractions = {
        name: np.mean([re.search(pattern, text) is not None for text in texts]) for name, pattern in patterns.items()
    }
    assert all(0.005 < fraction < 0.95 for fraction in fractions.values()), fractions


def test_new_words_keep_coming(texts: list[str]) -> None:
    seen: set[str] = set()
    sizes = []
    for part in np.array_split(np.array(texts, object), 4):
        seen.update(*(text.lower().split() for text in part))
        sizes.append(len(seen))
    growth = np.diff([0, *sizes])
    assert growth[-1] > growth[0] / 3


def test_a_long_text_is_truncated_between_words() -> None:
    assert _line(1, "é " * 400) == b"__label__2 " + b" ".join(["é".encode()] * 333) + b"\n"
    assert _line(0, " A b ") == b"__label__1 A b\n"


def test_the_last_sentence_nearly_always_has_the_sentiment_of_the_label() -> None:
    """A model that understands the last sentence is wrong in 2 % of the reviews."""
    labels = np.arange(20_000) % 2
    sentences = np.full(len(labels), 4)
    _, sentiment = _draw_templates(np.random.default_rng(0), labels, sentences)
    last = sentiment.reshape(-1, 5)[:, -1]
    assert 0.97 < (last == labels).mean() < 0.99


def test_a_bag_of_words_is_clearly_worse_than_word_order(lines: list[bytes], texts: list[str]) -> None:
    labels = [int(line[9] == ord("2")) for line in lines]
    tokens = [re.findall(r"\w+'?\w*|[^\w\s]", text.lower()) for text in texts]
    bag = accuracy([set(words) for words in tokens], labels)
    ordered = accuracy(
        [{*words, *pairwise(words), *zip(words, words[1:], words[2:], strict=False)} for words in tokens], labels
    )
    assert 0.70 < bag < 0.82
    assert ordered > bag + 0.07


def accuracy(features: list[set], labels: list[int], trained: int = 2 * BLOCK_REVIEWS) -> float:
    """Test accuracy of naive Bayes on the presence of features that at least three reviews have."""
    counts = Counter[Hashable](), Counter[Hashable]()
    for each, label in zip(features[:trained], labels, strict=False):
        counts[label].update(each)
    weights = {
        feature: np.log((counts[1][feature] + 1) / (counts[0][feature] + 1))
        for feature, count in (counts[0] + counts[1]).items()
        if count >= 3
    }
    scores = np.array([sum(weights.get(feature, 0) for feature in each) for each in features[trained:]])
    return float(np.mean((scores > 0) == np.array(labels[trained:])))
