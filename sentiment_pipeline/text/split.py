"""The split of a review: a function of the settings and of its text, or of its position in the test set.

Validation reviews are drawn by their text. So a review that was once held out never trains, whatever files are added,
removed, renamed or reordered, and equal texts are never on both sides. Shards are independent of each other, and
neither the number of workers nor the size of shards moves a review.
"""

from collections.abc import Callable
from dataclasses import dataclass
from zlib import adler32, crc32

import numpy as np
import pyarrow as pa

from sentiment_pipeline.layout import SPLITS
from sentiment_pipeline.text.config import SplitConfig

__all__ = ["TRAIN", "SplitRule", "Splits", "text_hashes"]

Splits = Callable[[np.ndarray, int], np.ndarray]  # what `SplitRule.of` is

_DROPPED = 255  # in no split
TRAIN, _VALIDATION, _TEST = map(SPLITS.index, ("train", "validation", "test"))


def text_hashes(texts: pa.ChunkedArray) -> np.ndarray:
    """A hash of each text, its Adler-32 and its CRC-32 side by side; uint64, [texts]."""
    content = texts.cast(pa.binary()).to_pylist()
    high, low = (np.fromiter(map(each, content), np.uint64, len(content)) for each in (adler32, crc32))
    return (high << np.uint64(32)) | low


@dataclass(frozen=True)
class SplitRule:
    """Which split each review of a shard belongs to.

    Attributes:
        config: which reviews are held out.
        source: the input that the shard is of, `train` or `test`.
        first: number of reviews of the input before the shard.
        total: number of reviews of the input.
        dropped: the reviews that are in no split, as rows of the shard in rising order.
    """

    config: SplitConfig
    source: str
    first: int = 0
    total: int = 0
    dropped: tuple[int, ...] = ()

    def of(self, hashes: np.ndarray, row: int = 0) -> np.ndarray:
        """The splits of consecutive reviews, as indices into `layout.SPLITS`, 255 for none; uint8, [reviews].

        Args:
            hashes: their `text_hashes`; uint64, [reviews].
            row: index of the first one in the shard.
        """
        splits = self._drawn(hashes, row)
        rows = np.array(self.dropped, np.int64) - row
        splits[rows[(rows >= 0) & (rows < len(splits))]] = _DROPPED
        return splits

    def _drawn(self, hashes: np.ndarray, row: int) -> np.ndarray:
        """The splits before any review is dropped."""
        if self.source == "train":
            if self.config.validation != "train":
                return np.full(len(hashes), TRAIN, np.uint8)
            held_out = _uniform(self.config.seed, hashes) < self.config.fraction
            return np.where(held_out, _VALIDATION, TRAIN).astype(np.uint8)
        positions = self.first + row + np.arange(len(hashes))
        return np.where(positions < self._held_out, _VALIDATION, _TEST).astype(np.uint8)

    @property
    def depends_on_position(self) -> bool:
        """Whether the position of a review matters, and not its text alone."""
        return self._held_out > 0

    @property
    def dropped_digest(self) -> str:
        """The CRC-32 of the dropped rows, in hexadecimal; empty if there are none."""
        return f"{crc32(np.array(self.dropped, np.int64).tobytes()):08x}" if self.dropped else ""

    def possible(self, reviews: int) -> list[str]:
        """The splits that a shard of so many reviews may hold reviews of, in the order of `layout.SPLITS`."""
        if self.source == "train":
            return ["train", "validation"] if self.config.validation == "train" else ["train"]
        validation, test = self.first < self._held_out, self.first + reviews > self._held_out
        return [split for split, is_possible in (("validation", validation), ("test", test)) if is_possible]

    @property
    def _held_out(self) -> int:
        """Number of reviews, the first ones of the test set, that validate."""
        return self.total // 2 if self.source == "test" and self.config.validation == "test" else 0


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
