"""Which of a review's tokens a model reads, and on which side a batch is padded."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Truncation"]


@dataclass(frozen=True)
class Truncation:
    """How reviews are truncated and padded for a model.

    Attributes:
        length: maximum number of tokens that are kept of a review.
        tail: how many of these are taken from the end of a longer review; the others are taken from its beginning.
        padding: `left` pads every batch on the left to exactly `length`; `right` pads it to its longest review.
    """

    length: int
    tail: int
    padding: Literal["left", "right"]
