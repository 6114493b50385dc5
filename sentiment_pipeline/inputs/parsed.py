"""What parsing a file gives: labels and texts, and what was rejected for which reason."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

__all__ = [
    "BLANK",
    "DROPPED",
    "LONGEST_LINE",
    "NOT_UTF8",
    "NO_TEXT",
    "NUL_BYTE",
    "OTHER_LABEL",
    "TOO_LONG",
    "Parsed",
    "Rejected",
]

LONGEST_LINE = 1 << 20  # bytes, of a line or the text of a row

# Reasons why a line or row is no review. Those of BLANK and DROPPED are not counted as rejected.
BLANK = "blank"
DROPPED = "dropped, as input.labels says"
TOO_LONG = f"longer than {LONGEST_LINE:,} bytes"
NOT_UTF8 = "not UTF-8"
NUL_BYTE = "holds a NUL byte"
NO_TEXT = "no text"
OTHER_LABEL = "the label {label} instead of {expected}"


@dataclass(frozen=True)
class Rejected:
    """A line or row that is not a review.

    Attributes:
        line: its number among those parsed with it, from 1.
        reason: why it is not a review.
        raw: its bytes without the line end; of a line that is too long, the first `LONGEST_LINE` of them.
    """

    line: int
    reason: str
    raw: bytes


@dataclass(frozen=True)
class Parsed:
    """The content of some lines or rows.

    Attributes:
        lines: number of all, including rejected ones.
        labels: of the accepted ones, 0 negative, 1 positive; int8, [accepted].
        texts: of the accepted ones, UTF-8; of a line what follows the label and one space, without the line end.
        rejected: the others, in order.
        bytes: size of the text of all, as it was read.
    """

    lines: int
    labels: np.ndarray
    texts: pa.BinaryArray
    rejected: list[Rejected]
    bytes: int
