"""Which split a review belongs to: a function of the settings, its file and its position there, and of nothing else.

So no shard needs to know what another one drew, and neither worker counts nor shard sizes move a review.
"""

import numpy as np

from sentiment_pipeline.text.config import SplitConfig

__all__ = ["TRAIN", "splits_of"]

TRAIN, _VALIDATION, _TEST = range(3)


def splits_of(config: SplitConfig, source: str, first: int, count: int, total: int) -> np.ndarray:
    """The splits of `count` reviews of a file from its review number `first` (0-based) on.

    Args:
        source: `train` or `test`, the file.
        total: how many reviews the file has.

    Returns:
        uint8, shape (count,): indices into `layout.SPLITS`.
    """
    positions = np.arange(first, first + count, dtype=np.uint64)
    if source == "train":
        held_out = (_uniform(config.seed, positions) < config.fraction) & (config.validation == "train")
        return np.where(held_out, _VALIDATION, TRAIN).astype(np.uint8)
    held_out = (positions < total // 2) & (config.validation == "test")
    return np.where(held_out, _VALIDATION, _TEST).astype(np.uint8)


def _uniform(seed: int, counters: np.ndarray) -> np.ndarray:
    """A number in [0, 1) for each counter (uint64), evenly distributed and without memory of the others; float64.

    The output of SplitMix64 (Steele, Lea and Flood, 2014) at state `seed + counter * gamma`; the seed is mixed first,
    so that the sequences of neighbouring seeds do not overlap.
    """
    gamma = np.uint64(0x9E3779B97F4A7C15)
    start = _mix(np.array([seed], np.uint64) + gamma)
    return (_mix(start + counters * gamma) >> np.uint64(11)) * 2.0**-53


def _mix(state: np.ndarray) -> np.ndarray:
    """SplitMix64's output function."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
