"""Words, names, numbers and addresses made up from a number, so that the vocabulary never ends.

Real text keeps bringing new words: the number of distinct ones grows like a power of the length (Heaps' law), because
the frequency of the word of rank r falls like a power of r (Zipf's law, in Mandelbrot's form). Ranks here are drawn
from such a law without an upper end, and a word is a function of its rank, so nothing has to be stored.
"""

from collections.abc import Callable

import numpy as np

ONSETS = "b c d f g h j k l m n p r s t v w z br cl dr fl gr pl pr qu sh st th tr"
RIMES = "a ew i o u ar el in or us ay ee io ou an en ish on um ek"
SYLLABLES = [onset + rime for rime in RIMES.split() for onset in ONSETS.split()]
ENDINGS = ["", "", "", "s", "er", "ing", "ed", "ly", "tion", "ness"]

SHORT = len(SYLLABLES) ** 2 * len(ENDINGS)  # words of two syllables
STRIDE = 1_000_003  # prime to SHORT: neighbouring ranks look unlike
ACCENTED = 997  # one word in so many has its e accented
LARGEST = 1 << 40
FLATNESS, EXPONENT = 5000.0, 1.47  # of the law; the exponent gives distinct words growing like length ** 0.68


def ranks(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw `size` ranks from 0 (int64), with probability falling like `(rank + FLATNESS) ** -EXPONENT`, without an end.

    By the inverse of the distribution function; what lies above 2**40 is drawn as that.
    """
    drawn = FLATNESS * ((1 - rng.random(size)) ** (-1 / (EXPONENT - 1)) - 1)
    return np.minimum(drawn, LARGEST).astype(np.int64)


def word(rank: int) -> str:
    """A made-up word; two syllables and an ending for the first three million ranks, longer for later ones."""
    further, short = divmod(rank, SHORT)
    short, ending = divmod(short * STRIDE % SHORT, len(ENDINGS))
    spelled = SYLLABLES[short // len(SYLLABLES)] + SYLLABLES[short % len(SYLLABLES)]
    while further:
        further, syllable = divmod(further - 1, len(SYLLABLES))
        spelled += SYLLABLES[syllable]
    spelled += ENDINGS[ending]
    return spelled if rank % ACCENTED else spelled.replace("e", "é")


def name(rank: int) -> str:
    return word(rank).capitalize()


def model(rank: int) -> str:
    """A product's designation, like `DRA-407`."""
    return f"{word(rank)[:3].upper()}-{rank % 1000}"


def price(rank: int) -> str:
    return f"${rank % 90 + 5}.{('99', '95', '00', '50')[rank % 4]}"


def number(rank: int) -> str:
    return f"{rank % 5000:,}" if rank % 7 == 0 else str(rank % 40 + 2)


def year(rank: int) -> str:
    return str(1960 + rank % 55)


def address(rank: int) -> str:
    host = f"{word(rank)}.com"
    return (f"www.{host}", f"http://www.{host}/{rank % 100}", host, f"https://{host}")[rank % 4]


SPELLINGS: dict[str, Callable[[int], str]] = {
    "word": word,
    "Name": name,
    "model": model,
    "price": price,
    "number": number,
    "year": year,
    "address": address,
}
