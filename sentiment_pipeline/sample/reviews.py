"""Blocks of synthetic reviews, each a function of the seed and the block's number alone.

Everything is drawn for a whole block at once with numpy: which sentences a review has, what each means, which word
fills each slot. Python only joins the pieces. A block always holds the same reviews, so a small sample is the beginning
of a larger one, and blocks can be made in any order and in any process.

How the kinds of sentences are mixed makes the order of the words matter: the words of plain ones agree with the label,
those of negated ones contradict it, and a contrast has words of both sorts.
"""

from functools import cache

import numpy as np

from sentiment_pipeline.sample import lexicon
from sentiment_pipeline.sample.grammar import Templates, templates
from sentiment_pipeline.sample.spelling import SPELLINGS, ranks

BLOCK = 4000  # reviews, nearly two full blocks of bz2
LONGEST = 1000  # bytes of a text, as in the real data

SHARES = np.array(
    [  # of the kinds: neutral, plain, feint, negated, contrast
        [0.50, 0.25, 0.08, 0.09, 0.08],  # in titles
        [0.50, 0.25, 0.08, 0.09, 0.08],  # in sentences
        [0.00, 0.52, 0.14, 0.18, 0.16],  # in last sentences
    ]
)
DISSENT = np.array([0.10, 0.10, 0.02])  # shares of titles, sentences and last sentences that contradict the label
MEDIAN_SENTENCES, SPREAD, MOST_SENTENCES = 5.2, 0.58, 14  # of a lognormal law
SHOUTED, WHISPERED = 0.005, 0.012  # shares of reviews in capitals and in small letters only


def block(seed: int, number: int) -> list[bytes]:
    """The reviews of block `number`, from 0: `BLOCK` fastText lines in UTF-8, each with its line feed.

    Of the reviews 2i and 2i + 1 one is positive, so that any even number of reviews is balanced.
    """
    rng = np.random.default_rng((seed, number))
    first = rng.integers(0, 2, BLOCK // 2)
    labels = np.stack([first, 1 - first], axis=1).ravel()
    sentences = np.clip(rng.lognormal(np.log(MEDIAN_SENTENCES), SPREAD, BLOCK), 1, MOST_SENTENCES).astype(np.int64)
    chosen, meaning = plan(rng, labels, sentences)
    texts = written(rng, chosen, meaning, sentences + 1)
    case = rng.random(BLOCK)
    return [
        line(label, text, shout, whisper)
        for label, text, shout, whisper in zip(
            labels.tolist(), texts, (case < SHOUTED).tolist(), (case > 1 - WHISPERED).tolist(), strict=True
        )
    ]


def plan(rng: np.random.Generator, labels: np.ndarray, sentences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choose a title and so many `sentences` for each review.

    Returns:
        The template of each title and sentence in turn, and what each means: 0 negative, 1 positive.
    """
    ends = np.cumsum(sentences + 1)
    place = np.ones(ends[-1], np.int64)  # rows of SHARES
    place[ends - sentences - 1] = 0
    place[ends - 1] = 2
    kind = (rng.random(len(place))[:, None] >= np.cumsum(SHARES, axis=1)[place, :-1]).sum(axis=1)
    group = np.minimum(place, 1), kind
    table = language()[0]
    chosen = table.groups[group] + (rng.random(len(place)) * table.sizes[group]).astype(np.int64)
    dissent = rng.random(len(place)) < DISSENT[place]
    return chosen, np.repeat(labels, sentences + 1) ^ dissent


def written(rng: np.random.Generator, chosen: np.ndarray, meaning: np.ndarray, parts: np.ndarray) -> list[str]:
    """The texts of reviews that have so many `parts` (a title and sentences) of the templates `chosen` each."""
    table, words = language()
    lengths = np.diff(table.starts)[chosen]
    part = np.repeat(np.arange(len(chosen)), lengths)
    ends = np.cumsum(lengths)
    pieces = table.pieces[np.arange(ends[-1]) + (table.starts[chosen] - ends + lengths)[part]]
    topic = np.repeat(rng.integers(0, lexicon.TOPIC_COUNT, len(parts)), parts)
    text = np.array(table.vocabulary, object)[pieces]
    for number, piece in enumerate(table.vocabulary):
        if piece[0] == "{":
            where = np.flatnonzero(pieces == number)
            text[where] = filled(rng, piece[1:-1], words, meaning[part[where]], topic[part[where]])
    strings, borders = text.tolist(), ends[np.cumsum(parts) - 1].tolist()
    return ["".join(strings[start:end]) for start, end in zip([0, *borders], borders, strict=False)]


def filled(
    rng: np.random.Generator, slot: str, words: dict[str, np.ndarray], meaning: np.ndarray, topic: np.ndarray
) -> np.ndarray:
    """Draw what fills one slot at each place where it stands, given the place's meaning and topic."""
    if slot in SPELLINGS:
        return np.array(list(map(SPELLINGS[slot], ranks(rng, len(meaning)).tolist())), object)
    name = slot.lstrip("+-")
    row = {"+": meaning, "-": 1 - meaning}.get(slot[0], topic if name in lexicon.TOPICS else 0)
    column = words[name].shape[1] * rng.random(len(meaning)) ** 2
    return words[name][row, column.astype(np.int64)]


def line(label: int, text: str, shouted: bool, whispered: bool) -> bytes:
    """A fastText line, its text cut at a space if it is too long."""
    text = text.upper() if shouted else text.lower() if whispered else text
    encoded = text.strip().encode()
    if len(encoded) > LONGEST:
        encoded = encoded[:LONGEST].rsplit(maxsplit=1)[0]
    return b"__label__%d %s\n" % (label + 1, encoded)


@cache
def language() -> tuple[Templates, dict[str, np.ndarray]]:
    """The templates and the lexicons, built once a process."""
    return templates(), lexicon.tables()
