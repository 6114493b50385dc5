"""Blocks of synthetic reviews, each a function of the seed and the block's index alone.

Everything is drawn for a whole block at once with NumPy: which templates a review consists of, the sentiment of each,
the word in each slot; Python only joins the pieces. A block always holds the same reviews, so a small sample is the
beginning of a larger one, and blocks can be made in any order and in any process.

The kinds of sentences are mixed so that word order matters: the words of plain sentences agree with the label, those of
negated ones contradict it, and a contrast has words of both sentiments.
"""

from functools import cache

import numpy as np

from sentiment_pipeline.sample import lexicon
from sentiment_pipeline.sample.grammar import Templates, templates
from sentiment_pipeline.sample.spelling import SPELLINGS, draw_ranks

__all__ = ["BLOCK_REVIEWS", "make_block"]

BLOCK_REVIEWS = 4000  # nearly two full blocks of bzip2
_MAX_BYTES = 1000  # of a text, as in the real data

_TITLE, _SENTENCE, _LAST_SENTENCE = range(3)  # positions in a review, rows of the following
_KIND_FRACTIONS = np.array(
    [  # neutral, plain, decoy, negated, contrast
        [0.50, 0.25, 0.08, 0.09, 0.08],
        [0.50, 0.25, 0.08, 0.09, 0.08],
        [0.00, 0.52, 0.14, 0.18, 0.16],
    ]
)
_CONTRADICTING = np.array([0.10, 0.10, 0.02])  # fractions whose sentiment is not the label
_MEDIAN_SENTENCES, _SENTENCES_SIGMA, _MAX_SENTENCES = 5.2, 0.58, 14  # a lognormal distribution
_UPPER_CASE, _LOWER_CASE = 0.005, 0.012  # fractions of the reviews


def make_block(seed: int, index: int) -> list[bytes]:
    """The reviews of a block.

    Of the reviews 2i and 2i + 1 one is positive, so that any even number of reviews is balanced.

    Args:
        index: of the block, from 0.

    Returns:
        `BLOCK_REVIEWS` fastText lines in UTF-8, each with its line feed.
    """
    rng = np.random.default_rng((seed, index))
    first = rng.integers(0, 2, BLOCK_REVIEWS // 2)
    labels = np.stack([first, 1 - first], axis=1).ravel()
    drawn = rng.lognormal(np.log(_MEDIAN_SENTENCES), _SENTENCES_SIGMA, BLOCK_REVIEWS)
    sentences = np.clip(drawn, 1, _MAX_SENTENCES).astype(np.int64)
    chosen, sentiment = _draw_templates(rng, labels, sentences)
    texts = _draw_texts(rng, chosen, sentiment, sentences + 1)
    case = rng.random(BLOCK_REVIEWS)
    return [
        _line(label, text.upper() if upper else text.lower() if lower else text)
        for label, text, upper, lower in zip(
            labels.tolist(), texts, (case < _UPPER_CASE).tolist(), (case > 1 - _LOWER_CASE).tolist(), strict=True
        )
    ]


def _draw_templates(
    rng: np.random.Generator, labels: np.ndarray, sentences: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a title and some sentences for each review.

    Args:
        labels: 0 negative, 1 positive, [reviews].
        sentences: the number of sentences, [reviews].

    Returns:
        The templates of all reviews, one after another, as indices; and the sentiment of each, 0 or 1.
    """
    ends = np.cumsum(sentences + 1)
    position = np.full(ends[-1], _SENTENCE)
    position[ends - sentences - 1] = _TITLE
    position[ends - 1] = _LAST_SENTENCE
    kind = (rng.random(len(position))[:, None] >= np.cumsum(_KIND_FRACTIONS, axis=1)[position, :-1]).sum(axis=1)
    group = np.minimum(position, _SENTENCE), kind
    table = _language()[0]
    chosen = table.first[group] + (rng.random(len(position)) * table.counts[group]).astype(np.int64)
    contradicts = rng.random(len(position)) < _CONTRADICTING[position]
    return chosen, np.repeat(labels, sentences + 1) ^ contradicts


def _draw_texts(rng: np.random.Generator, chosen: np.ndarray, sentiment: np.ndarray, parts: np.ndarray) -> list[str]:
    """Fill the slots of the chosen templates, and join them to texts.

    Args:
        chosen, sentiment: as `_draw_templates` returns them.
        parts: the number of templates of each review, [reviews].
    """
    table, words = _language()
    lengths = np.diff(table.starts)[chosen]
    part = np.repeat(np.arange(len(chosen)), lengths)  # the template of each piece
    ends = np.cumsum(lengths)
    pieces = table.pieces[np.arange(ends[-1]) + (table.starts[chosen] - ends + lengths)[part]]
    topic = np.repeat(rng.integers(0, lexicon.TOPIC_COUNT, len(parts)), parts)
    text = np.array(table.vocabulary, object)[pieces]
    for index, piece in enumerate(table.vocabulary):
        if piece[0] == "{":
            slots = np.flatnonzero(pieces == index)
            text[slots] = _draw_words(rng, piece[1:-1], words, sentiment[part[slots]], topic[part[slots]])
    strings, stops = text.tolist(), ends[np.cumsum(parts) - 1].tolist()
    return ["".join(strings[start:stop]) for start, stop in zip([0, *stops], stops, strict=False)]


def _draw_words(
    rng: np.random.Generator, slot: str, words: dict[str, np.ndarray], sentiment: np.ndarray, topic: np.ndarray
) -> np.ndarray:
    """Draw a word for each occurrence of a slot, given the sentiment and the topic there."""
    if slot in SPELLINGS:
        return np.array(list(map(SPELLINGS[slot], draw_ranks(rng, len(sentiment)).tolist())), object)
    name = slot.lstrip("+-")
    row = {"+": sentiment, "-": 1 - sentiment}.get(slot[0], topic if name in lexicon.TOPICS else 0)
    column = words[name].shape[1] * rng.random(len(sentiment)) ** 2
    return words[name][row, column.astype(np.int64)]


def _line(label: int, text: str) -> bytes:
    """A fastText line; a text that is too long is truncated at a space."""
    encoded = text.strip().encode()
    if len(encoded) > _MAX_BYTES:
        encoded = encoded[:_MAX_BYTES].rsplit(maxsplit=1)[0]
    return b"__label__%d %s\n" % (label + 1, encoded)


@cache
def _language() -> tuple[Templates, dict[str, np.ndarray]]:
    """The templates and the lexicons."""
    return templates(), lexicon.tables()
