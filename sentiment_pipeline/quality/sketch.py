"""Sketches of reviews, by which equal and similar ones meet: a hash of all words, and MinHash bands.

MinHash (Broder, 1997): of two sets of hashes, the smallest element is the same with the probability of their Jaccard
similarity. Three such minima make a band, so a review meets another in at least one of the `BANDS` bands with
probability 1 - (1 - J^3)^BANDS: 0.97 for J = 0.7, 0.999 for 0.83, and 0.008 for 0.1. The sets are those of all
sequences of three words. The last byte of each minimum is kept too, because it tells which of those that meet may be
similar, without their words (b-bit MinHash, Li and König, 2010). All is done on whole arrays; no Python runs for a
single review.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sentiment_pipeline.text.ragged import offsets_of

__all__ = ["BANDS", "MINIMA", "SHORTEST", "Sketches", "shingles", "sketch"]

BANDS = 8
_ROWS = 3  # minima of a band
MINIMA = BANDS * _ROWS
SHORTEST = 8  # words of a review that can be a near duplicate; shorter ones are alike by chance
_WORDS = 3  # of a sequence
_AT_ONCE = 1 << 18  # words, so that the arrays stay in the caches
_FACTORS = np.random.default_rng(0x5EED).integers(0, 1 << 31, MINIMA, np.uint32) * np.uint32(2) + np.uint32(1)
_POWER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2^64
_INVERSE = np.uint64(pow(int(_POWER), -1, 1 << 64))
_POWERS, _INVERSES = (
    np.concatenate([[np.uint64(1)], np.full(_AT_ONCE, base)]).cumprod(dtype=np.uint64) for base in (_POWER, _INVERSE)
)


class Sketches(NamedTuple):
    """The sketches of some reviews.

    Attributes:
        exact: equal for equal sequences of words; uint64, [reviews].
        bands: uint64, [BANDS, reviews]; only of use for reviews of `SHORTEST` words or more, as the next.
        minima: the last byte of each minimum; uint8, [MINIMA, reviews].
    """

    exact: np.ndarray
    bands: np.ndarray
    minima: np.ndarray


def sketch(words: np.ndarray, lengths: np.ndarray) -> Sketches:
    """The sketches of reviews.

    Args:
        words: hashes of the words of all reviews, one review after another; uint32, [words].
        lengths: number of words of each review; integers, [reviews].

    >>> words = np.arange(40, dtype=np.uint32)
    >>> found = sketch(np.concatenate([words, words, words[::-1]]), np.array([40, 40, 40]))
    >>> len(set(found.exact.tolist())), bool((found.bands[:, 0] == found.bands[:, 1]).all())
    (2, True)
    """
    exact = np.empty(len(lengths), np.uint64)
    bands = np.zeros((BANDS, len(lengths)), np.uint64)
    minima = np.zeros((MINIMA, len(lengths)), np.uint8)
    offsets = offsets_of(lengths)
    for first, last in _slices(offsets):
        bounds = offsets[first : last + 1]
        part, starts = words[bounds[0] : bounds[-1]], bounds[:-1] - bounds[0]
        exact[first:last] = _exact(part.astype(np.uint64), starts, np.diff(bounds))
        is_long = np.diff(bounds) >= SHORTEST
        if is_long.any():
            found = _minima(part, starts[is_long], np.diff(bounds)[is_long])
            bands[:, first:last][:, is_long] = _bands(found)
            minima[:, first:last][:, is_long] = found  # the last byte
    return Sketches(exact, bands, minima)


def shingles(words: np.ndarray) -> np.ndarray:
    """A hash of each sequence of three words; uint32, [words - 2].

    Args:
        words: hashes of words; uint32, [words].
    """
    mixed: np.ndarray = (
        words[:-2] * np.uint32(0x9E3779B1) + words[1:-1] * np.uint32(0x85EBCA77) + words[2:] * np.uint32(0xC2B2AE3D)
    )
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):  # the finalizer of MurmurHash3
        mixed ^= mixed >> np.uint32(shift)
        mixed *= np.uint32(factor)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def _slices(offsets: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the first and the end of groups of reviews of at most `_AT_ONCE` words, or of one review."""
    first = 0
    while first < len(offsets) - 1:
        last = int(np.searchsorted(offsets, offsets[first] + _AT_ONCE, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


def _exact(words: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """A polynomial of the words of each review, modulo 2^64, mixed with their number; uint64, [reviews]."""
    if len(words) <= _AT_ONCE:
        terms = np.append((words + np.uint64(1)) * _POWERS[: len(words)], np.uint64(0))
        sums = np.add.reduceat(terms, starts) * (lengths > 0) * _INVERSES[starts]
    else:  # one enormous review
        sums = np.zeros(1, np.uint64)
        for begin in range(0, len(words), _AT_ONCE):
            piece = words[begin : begin + _AT_ONCE] + np.uint64(1)
            sums = sums * _POWER + (piece * _POWERS[: len(piece)]).sum()
    sums = (sums ^ (sums >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) + lengths.astype(np.uint64)
    return sums ^ (sums >> np.uint64(32))


def _minima(words: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The minima of reviews of at least three words; uint32, [MINIMA, reviews]."""
    hashes = np.append(shingles(words), np.uint32(0))
    bounds = np.stack([starts, starts + lengths - (_WORDS - 1)], axis=1).ravel()
    return np.stack([np.minimum.reduceat(hashes * factor, bounds)[::2] for factor in _FACTORS])


def _bands(minima: np.ndarray) -> np.ndarray:
    """A hash of the minima of each band, which none of another band has; uint64, [BANDS, reviews]."""
    bands = np.repeat(np.arange(1, BANDS + 1, dtype=np.uint64), minima.shape[1]).reshape(BANDS, -1)
    for row in range(_ROWS):
        bands = (bands + minima[row::_ROWS]) * _POWER
    return bands ^ (bands >> np.uint64(32))
