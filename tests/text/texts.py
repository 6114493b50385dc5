"""Random cleaned texts that provoke NLTK's rules."""

import random
import string

import punkt.data.english as english

from sentiment_pipeline.text.cleaning import clean
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.tokenizer import known_words

PLAIN = "the good book was not as bad a story wonderful don can t ll re x q".split()
KNOWN = sorted(known_words())
ABBREVIATIONS = sorted(english.ABBREV_TYPES)
COLLOCATED = sorted({word for pair in english.COLLOCATIONS for word in pair})
STARTERS = ["administrators", "b-week", "r-revised", "z-holiday", *COLLOCATED]
CONTRACTED = (
    "cannot can't won't d'ye gimme gonna gotta lemme more'n wanna 'tis 'twas isn't dog's dogs' i'm he'd they'll we're "
    "i've n't 's 'll 'em rock'n'roll o'clock cannot's xn't wanna, gonna. 'cannot"
).split()
NUMBERS = "0 00 0.0 0,000 0. 0, -0 $0 0% .0 0th 0:00 0-0 0/0 0..0".split()
MARKS = [
    *".,;:!?'\"`()[]{}<>-*&#@$%/_|~^+=\\‘’“”«»„–—―…",
    "''",
    '""',
    "``",
    "--",
    "...",
    "..",
    ". . .",
    "?!",
    "!!",
    '."',
    ".'",
    ".)",
    ".''",
    '."--',
    "\"'",
    "'\"",
    ":)",
    ":-(",
    "<br",
    "/>",
    "<url>",
]
BEYOND = [
    "é",
    "naïve",
    "über",
    "ß",
    "ı",
    "ﬁ",
    "漢字",
    "𝐀",
    "ϒ",
    "ǅ",
    "ª",
    "²",
    "٣",
    "\u0301",
    "i\u0307",
    "мир",
    "\uab30",
    "\u200b",
    "\ufeff",
]
SPACES = ["\t", "\xa0", "\u2003", "\x0b", "\x1c", "\x85", "\u2028", "\r"]
GROUPS = [
    (PLAIN, 8),
    (KNOWN, 2),
    (ABBREVIATIONS, 2),
    (COLLOCATED, 1),
    (CONTRACTED, 3),
    (NUMBERS, 2),
    (MARKS, 6),
    (BEYOND, 0.5),
]
ALPHABETS = [
    "a.' \"",
    "ab.?!'\" ",
    "in'ts.,\"` ()",
    string.printable.strip() + "      ",
    "a. 0,-",
    ".'\")]} -",
    "é\u0301. a",
]


def random_text(draw: random.Random) -> str:
    """Up to some thirty words and marks, with or without spaces."""
    groups, weights = zip(*GROUPS, strict=True)
    spaced = draw.choice([0.2, 0.5, 0.8])
    text = draw.choice(["", "", "", "", " ", '"', "''"])
    for _ in range(draw.randrange(1, draw.choice([4, 12, 30]))):
        text += draw.choice(draw.choices(groups, weights)[0])
        if draw.random() < spaced:
            text += draw.choice([" "] * 12 + ["  ", "   "] + (SPACES if draw.random() < 0.02 else []))
        elif draw.random() < 0.3:
            text += draw.choice(MARKS)
    return cleaned(text)


def random_letters(draw: random.Random) -> str:
    """Single characters of a small alphabet, so that every short combination occurs."""
    return cleaned("".join(draw.choices(draw.choice(ALPHABETS), k=draw.randrange(1, 25))))


def random_stop(draw: random.Random) -> str:
    """A full stop at which Punkt asks for the next word, among plain words."""
    before = draw.choice(draw.choice([ABBREVIATIONS, NUMBERS, BEYOND, "abcé0-,"]))
    stop = draw.choice([". ", ".  ", "., ", ".) ", "... "])
    after = draw.choice(draw.choice([STARTERS, KNOWN, MARKS, BEYOND, ["story"]]))
    return cleaned(
        draw.choice(["", "story ", "-", "0", "("])
        + before
        + stop
        + after
        + draw.choice(["", " ", ".", ". a", " story", ", x"])
    )


def cleaned(text: str) -> str:
    return clean(text.replace("\n", " "), CleaningConfig(html_breaks=False))
