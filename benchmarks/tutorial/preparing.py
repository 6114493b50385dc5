"""The tutorial's recipe for preparing the data, as written there, except that it reads lines from memory.

Its code is kept as it is; only `word_tokenize` gets Punkt's parameters from a package instead of a download.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sentiment_pipeline.text.tokenizer import word_tokenizer

__all__ = ["Prepared", "apply_recipe"]


@dataclass(frozen=True)
class Prepared:
    """The tutorial's data before padding.

    Attributes:
        train, validation, test: labels and token ids of the reviews.
        words: the word of each id.
        counts: how often each word that is kept occurs in the training text.
    """

    train: tuple[list[int], list[list[int]]]
    validation: tuple[list[int], list[list[int]]]
    test: tuple[list[int], list[list[int]]]
    words: list[str]
    counts: dict[str, int]


def apply_recipe(train_file: Sequence[str], test_file: Sequence[str]) -> Prepared:
    """Prepare the lines of both files, which end with their line feeds."""
    word_tokenize = word_tokenizer()

    train_labels = [0 if x.split(" ")[0] == "__label__1" else 1 for x in train_file]
    train_sentences = [x.split(" ", 1)[1][:-1].lower() for x in train_file]
    test_labels = [0 if x.split(" ")[0] == "__label__1" else 1 for x in test_file]
    test_sentences = [x.split(" ", 1)[1][:-1].lower() for x in test_file]

    for sentences in (train_sentences, test_sentences):
        for i in range(len(sentences)):
            sentences[i] = re.sub(r"\d", "0", sentences[i])
        for i in range(len(sentences)):
            if "www." in sentences[i] or "http:" in sentences[i] or "https:" in sentences[i] or ".com" in sentences[i]:
                sentences[i] = re.sub(r"([^ ]+(?<=\.[a-z]{3}))", "<url>", sentences[i])

    counter: Counter[str] = Counter()
    train_words: list[list[str]] = []
    for sentence in train_sentences:
        train_words.append([])
        for word in word_tokenize(sentence):
            counter.update([word.lower()])
            train_words[-1].append(word)

    counts = {k: v for k, v in counter.items() if v > 1}
    words = ["_PAD", "_UNK", *sorted(counts, key=counts.__getitem__, reverse=True)]
    word2idx = {o: i for i, o in enumerate(words)}

    train_ids = [[word2idx[word] if word in word2idx else 0 for word in sentence] for sentence in train_words]
    test_ids = [
        [word2idx[word.lower()] if word.lower() in word2idx else 0 for word in word_tokenize(sentence)]
        for sentence in test_sentences
    ]
    half = int(0.5 * len(test_ids))
    return Prepared(
        (train_labels, train_ids),
        (test_labels[:half], test_ids[:half]),
        (test_labels[half:], test_ids[half:]),
        words,
        counts,
    )
