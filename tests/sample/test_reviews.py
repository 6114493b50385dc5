import re
from collections import Counter
from collections.abc import Hashable
from itertools import pairwise

import numpy as np
import pytest

from sentiment_pipeline.sample.reviews import BLOCK, LONGEST, block, line, plan


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return [line for number in range(3) for line in block(7, number)]


@pytest.fixture(scope="module")
def texts(lines: list[bytes]) -> list[str]:
    return [line[len("__label__1 ") : -1].decode() for line in lines]


def test_lines_are_in_the_real_format_and_balanced(lines: list[bytes]) -> None:
    assert len(lines) == 3 * BLOCK
    assert all(re.fullmatch(rb"__label__[12] [^\n]*\S: \S[^\n]*\S\n", line) for line in lines)
    labels = [line[9:10] for line in lines]
    assert all({first, second} == {b"1", b"2"} for first, second in zip(labels[::2], labels[1::2], strict=True))
    assert 0.45 < np.mean([label == b"1" for label in labels[::2]]) < 0.55, "the order within a pair is random"


def test_a_block_is_a_function_of_seed_and_number() -> None:
    assert block(7, 1) == block(7, 1)
    assert block(7, 1) != block(7, 2)
    assert block(7, 1) != block(8, 1)


def test_lengths_are_like_the_real_ones(texts: list[str]) -> None:
    words = np.array([len(text.split()) for text in texts])
    assert 75 < words.mean() < 85
    assert 0.5 < np.log(words).std() < 0.7
    assert LONGEST - 20 < max(len(text.encode()) for text in texts) <= LONGEST


def test_texts_hold_what_makes_text_hard_to_split(texts: list[str]) -> None:
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
    shares = {
        name: np.mean([re.search(pattern, text) is not None for text in texts]) for name, pattern in patterns.items()
    }
    assert all(0.005 < share < 0.95 for share in shares.values()), shares


def test_new_words_keep_coming(texts: list[str]) -> None:
    seen: set[str] = set()
    sizes = []
    for part in np.array_split(np.array(texts, object), 4):
        seen.update(*(text.lower().split() for text in part))
        sizes.append(len(seen))
    growth = np.diff([0, *sizes])
    assert growth[-1] > growth[0] / 3


def test_a_long_text_is_cut_between_words() -> None:
    assert line(1, "é " * 400, False, False) == b"__label__2 " + b" ".join(["é".encode()] * 333) + b"\n"
    assert line(0, "A b", True, False) == b"__label__1 A B\n"
    assert line(0, "A b", False, True) == b"__label__1 a b\n"


def test_the_meaning_of_the_sentences_is_the_label() -> None:
    """What an order-aware model can reach: who understands just the last sentence errs in 2 % of the reviews."""
    labels = np.arange(20_000) % 2
    sentences = np.full(len(labels), 4)
    _, meaning = plan(np.random.default_rng(0), labels, sentences)
    last = meaning.reshape(-1, 5)[:, -1]
    assert 0.97 < (last == labels).mean() < 0.99


def test_a_bag_of_words_does_clearly_worse_than_word_order(lines: list[bytes], texts: list[str]) -> None:
    labels = [int(line[9] == ord("2")) for line in lines]
    tokens = [re.findall(r"\w+'?\w*|[^\w\s]", text.lower()) for text in texts]
    bag = accuracy([set(words) for words in tokens], labels)
    ordered = accuracy(
        [{*words, *pairwise(words), *zip(words, words[1:], words[2:], strict=False)} for words in tokens], labels
    )
    assert 0.70 < bag < 0.82
    assert ordered > bag + 0.07


def accuracy(features: list[set], labels: list[int], trained: int = 2 * BLOCK) -> float:
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
