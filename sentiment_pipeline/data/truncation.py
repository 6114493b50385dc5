"""Which of a review's tokens a model reads, and on which side a batch is padded."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Truncation"]


@dataclass(frozen=True)
class Truncation:
    """How reviews are cut and padded for a model.

    Attributes:
        length: the most tokens that are kept of a review.
        tail: how many of those are taken from the end of a longer review; the others from its beginning.
        padding: left: every batch is padded on the left to exactly `length`; right: to its longest review.
    """

    length: int
    tail: int
    padding: Literal["left", "right"]
