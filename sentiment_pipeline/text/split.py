"""The split of a review: a function of the settings, its file and its position there, and of nothing else.

So shards are independent of each other, and neither the number of workers nor the size of shards moves a review.
"""

import numpy as np

from sentiment_pipeline.layout import SPLITS
from sentiment_pipeline.text.config import SplitConfig

__all__ = ["TRAIN", "splits_of"]

TRAIN, _VALIDATION, _TEST = map(SPLITS.index, ("train", "validation", "test"))


def splits_of(config: SplitConfig, source: str, first: int, count: int, total: int) -> np.ndarray:
    """The splits of consecutive reviews of a file.

    Args:
        config: which reviews are held out.
        source: the file, `train` or `test`.
        first: index of the first review in the file.
        count: number of reviews.
        total: number of reviews in the file; only used for `test`.

    Returns:
        Indices into `layout.SPLITS`; uint8, [count].
    """
    positions = np.arange(first, first + count, dtype=np.uint64)
    if source == "train":
        held_out = (_uniform(config.seed, positions) < config.fraction) & (config.validation == "train")
        return np.where(held_out, _VALIDATION, TRAIN).astype(np.uint8)
    held_out = (positions < total // 2) & (config.validation == "test")
    return np.where(held_out, _VALIDATION, _TEST).astype(np.uint8)


def _uniform(seed: int, counters: np.ndarray) -> np.ndarray:
    """Independent uniform numbers in [0, 1), one for each counter; float64, [counters].

    The output of SplitMix64 (Steele, Lea and Flood, 2014) at state `seed + counter * gamma`. The seed is mixed first,
    so that the sequences of neighbouring seeds do not overlap.

    Args:
        seed: less than 2**64.
        counters: uint64, [counters].
    """
    gamma = np.uint64(0x9E3779B97F4A7C15)
    start = _mix(np.array([seed], np.uint64) + gamma)
    return (_mix(start + counters * gamma) >> np.uint64(11)) * 2.0**-53


def _mix(state: np.ndarray) -> np.ndarray:
    """SplitMix64's output function."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
