"""Which words of a text moved its score: each is taken out in turn, and the text is scored again (occlusion).

That is what the words do to the whole model, its n-grams included, because they are made anew from the words that are
left. docs/serve.md has how it compares with integrated gradients.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sentiment_pipeline.models.inference import logits
from sentiment_pipeline.models.sentiment import Scorer
from sentiment_pipeline.text.alignment import token_spans
from sentiment_pipeline.text.encoder import TextEncoder

__all__ = ["Explanation", "Word", "word_effects"]

_MOST_PIECES = 400  # pieces of a text that are taken out in turn
_BATCH_TOKENS = 1 << 20  # of the texts with a piece taken out that are in memory at once
_APOSTROPHES = "'’"


class Word(NamedTuple):
    """A word and what it does to the score.

    Attributes:
        word: as it stands in the text; in a text of more than 400 words, several words in a row.
        effect: how much the logit of "positive" (the log of its odds) is higher with the word than without it.
        start, end: where it stands in the text, in characters.
    """

    word: str
    effect: float
    start: int
    end: int


class Explanation(NamedTuple):
    """The answer for one text, with the words that moved it most.

    Attributes:
        label: `positive` or `negative`.
        probability: of the positive class.
        words: the strongest effects first; words without effect are left out.
    """

    label: str
    probability: float
    words: list[Word]


def word_effects(model: Scorer, encoder: TextEncoder, text: str) -> list[Word]:
    """The effect of every word of a text, in fp32, in the order of the text.

    Where the model reads only part of a long text, taking a word out of that part lets it read further.
    """
    ids = encoder.encode([text]).ids
    spans = token_spans(text, encoder.cleaning)
    pieces = _pieces(_words(text, spans))
    scores = np.concatenate([logits(model, *batch) for batch in _occluded(ids, pieces)])
    effects = (scores[0] - scores[1:]).tolist()
    bounds = [(int(spans[first, 0]), int(spans[first:after, 1].max())) for first, after in pieces]
    return [Word(text[start:end], effect, start, end) for (start, end), effect in zip(bounds, effects, strict=True)]


def _words(text: str, spans: np.ndarray) -> list[tuple[int, int]]:
    """The first token of each word, and the one after its last: `is` and `n't` are one word, and so is an address."""
    starts = [token for token in range(len(spans)) if token == 0 or not _continues(text, *spans[token - 1 : token + 1])]
    return list(pairwise([*starts, len(spans)]))


def _continues(text: str, before: np.ndarray, span: np.ndarray) -> bool:
    """Whether a token goes on with the word of the token before it."""
    (start, end), previous_end = span, before[1]
    if start != previous_end:
        return bool(start < previous_end)  # tokens of one address
    is_clitic = text[start] in _APOSTROPHES and end - start > 1
    return text[start - 1].isalnum() and (is_clitic or text[start].isalnum())


def _pieces(words: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The words, or as many in a row at a time that there are at most `_MOST_PIECES`."""
    size = max(1, -(-len(words) // _MOST_PIECES))
    return [(words[at][0], words[min(at + size, len(words)) - 1][1]) for at in range(0, len(words), size)]


def _occluded(ids: np.ndarray, pieces: list[tuple[int, int]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Ids and offsets of the whole text, and then of the text without each piece, in batches."""
    texts = [(0, 0), *pieces]  # nothing is taken out of the first
    size = max(1, _BATCH_TOKENS // max(1, len(ids)))
    for at in range(0, len(texts), size):
        left = [np.delete(ids, slice(*piece)) for piece in texts[at : at + size]]
        yield np.concatenate(left), np.cumsum([0, *map(len, left)])
