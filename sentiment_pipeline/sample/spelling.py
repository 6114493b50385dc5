"""Made-up words, names, numbers and addresses, each a function of a number, for a vocabulary without an end.

Real text keeps bringing new words: the number of distinct ones grows like a power of the length of the text (Heaps'
law), because the frequency of the word of rank r falls like a power of r (the Zipf-Mandelbrot law). Ranks are drawn
from such a law without an upper end, and a word is computed from its rank, so nothing has to be stored.
"""

from collections.abc import Callable

import numpy as np

__all__ = ["SPELLINGS", "draw_ranks"]

_MAX_RANK = 1 << 40

_ONSETS = "b c d f g h j k l m n p r s t v w z br cl dr fl gr pl pr qu sh st th tr"
_RIMES = "a ew i o u ar el in or us ay ee io ou an en ish on um ek"
_SYLLABLES = [onset + rime for rime in _RIMES.split() for onset in _ONSETS.split()]
_ENDINGS = ["", "", "", "s", "er", "ing", "ed", "ly", "tion", "ness"]

_SHORT_WORDS = len(_SYLLABLES) ** 2 * len(_ENDINGS)  # of two syllables and an ending
_STRIDE = 1_000_003  # coprime to _SHORT_WORDS; makes neighbouring ranks look different
_ACCENT_EVERY = 997  # ranks; each "e" in such a word is an "é"
_SHIFT, _EXPONENT = 5000.0, 1.47  # of the law; with these, distinct words grow like length ** 0.68


def draw_ranks(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw `size` ranks with a probability proportional to `(rank + _SHIFT) ** -_EXPONENT`.

    By inversion of the distribution function.

    Returns:
        int64, [size]; from 0 to `_MAX_RANK`, which also stands for all larger ranks.
    """
    drawn = _SHIFT * ((1 - rng.random(size)) ** (-1 / (_EXPONENT - 1)) - 1)
    return np.minimum(drawn, _MAX_RANK).astype(np.int64)


def _word(rank: int) -> str:
    """A made-up word: two syllables and an ending for the first three million ranks, more syllables for later ones."""
    further, short = divmod(rank, _SHORT_WORDS)
    short, ending = divmod(short * _STRIDE % _SHORT_WORDS, len(_ENDINGS))
    spelled = _SYLLABLES[short // len(_SYLLABLES)] + _SYLLABLES[short % len(_SYLLABLES)]
    while further:
        further, syllable = divmod(further - 1, len(_SYLLABLES))
        spelled += _SYLLABLES[syllable]
    spelled += _ENDINGS[ending]
    return spelled if rank % _ACCENT_EVERY else spelled.replace("e", "é")


def _name(rank: int) -> str:
    return _word(rank).capitalize()


def _model(rank: int) -> str:
    """A model number, such as `DRA-407`."""
    return f"{_word(rank)[:3].upper()}-{rank % 1000}"


def _price(rank: int) -> str:
    return f"${rank % 90 + 5}.{('99', '95', '00', '50')[rank % 4]}"


def _number(rank: int) -> str:
    return f"{rank % 5000:,}" if rank % 7 == 0 else str(rank % 40 + 2)


def _year(rank: int) -> str:
    return str(1960 + rank % 55)


def _address(rank: int) -> str:
    host = f"{_word(rank)}.com"
    return (f"www.{host}", f"http://www.{host}/{rank % 100}", host, f"https://{host}")[rank % 4]


SPELLINGS: dict[str, Callable[[int], str]] = {  # by the name of the slot
    "word": _word,
    "Name": _name,
    "model": _model,
    "price": _price,
    "number": _number,
    "year": _year,
    "address": _address,
}
