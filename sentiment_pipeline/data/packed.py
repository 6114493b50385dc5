"""The training files of one split, memory-mapped: flat ids, and where each review's ids begin.

Because they are mapped, opening 100 GB takes no memory, and all processes on a machine share one copy in the page
cache. Everything that later code relies on is checked once, here, in pieces of bounded size: after `open_packed` no
index can be outside the files or the embedding.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from sentiment_pipeline import layout
from sentiment_pipeline.errors import PipelineError

__all__ = ["Array", "PackedReviews", "first_reviews", "map_array", "open_packed"]

_TYPES = {"ids": (np.uint16, np.uint32), "offsets": (np.int64,), "labels": (np.int8,), "lengths": (np.int32,)}
_PIECE = 1 << 22  # entries checked at a time

Array = NDArray[Any]


@dataclass(frozen=True)
class PackedReviews:
    """The reviews of one split: review i is `ids[offsets[i]:offsets[i + 1]]`.

    Attributes:
        folder: where the files are.
        ids: token ids of all reviews, one review after another; uint16 or uint32, [tokens].
        offsets: where each review begins, and the end of the last one; int64, [reviews + 1].
        labels: 0 negative, 1 positive; int8, [reviews].
        lengths: number of tokens of each review; int32, [reviews].
    """

    folder: Path
    ids: Array
    offsets: Array
    labels: Array
    lengths: Array

    def __len__(self) -> int:
        return len(self.labels)

    def __reduce__(self) -> tuple[Any, ...]:
        return _map_packed, (self.folder,)  # a loader's worker maps the files again instead of receiving a copy


def open_packed(folder: Path, vocabulary_size: int) -> PackedReviews:
    """Map and check `folder/{ids,offsets,labels,lengths}.npy`.

    Args:
        folder: the folder of a split.
        vocabulary_size: number of ids, the two special ones included; every id must be smaller.

    Raises:
        PipelineError: a file is missing, is not such an array, or contradicts the others or the vocabulary.
    """
    reviews = _map_packed(folder)
    if fault := _contradiction(reviews, vocabulary_size):
        raise PipelineError(f"{folder} is damaged: {fault}; run again to rebuild the training files")
    return reviews


def first_reviews(folder: Path, count: int | None = None) -> dict[str, Any]:
    """How the first reviews of a split are recognized again: by their number, labels and lengths.

    Args:
        folder: the folder of the split.
        count: number of reviews; default, or if there are fewer: all.

    Returns:
        `reviews`, their number, and `sha256`, of their labels and lengths, in hexadecimal.

    Raises:
        PipelineError: a file is missing, or is not such an array.
    """
    reviews, digest = _map_packed(folder), hashlib.sha256()
    count = len(reviews) if count is None else min(count, len(reviews))
    for start in range(0, count, _PIECE):
        piece = slice(start, min(count, start + _PIECE))
        digest.update(reviews.labels[piece].tobytes() + reviews.lengths[piece].tobytes())
    return {"reviews": count, "sha256": digest.hexdigest()}


def _map_packed(folder: Path) -> PackedReviews:
    """The four arrays; only their types and shapes are checked."""
    return PackedReviews(
        folder, *(map_array(folder / layout.array_file(name), types, (-1,)) for name, types in _TYPES.items())
    )


def map_array(path: Path, types: tuple[type[np.generic], ...], shape: tuple[int, ...]) -> Array:
    """A .npy file, memory-mapped and read-only.

    Args:
        path: the file.
        types: the allowed dtypes.
        shape: the required shape; -1 for any length.

    Raises:
        PipelineError: the file is missing, or not such an array.
    """
    try:
        array = open_memmap(path, mode="r")
    except FileNotFoundError as error:
        raise PipelineError(f"{path} is missing; run the prepare stages first") from error
    except Exception as error:  # numpy parses the header as Python source, which fails in many ways
        raise PipelineError(f"{path} is not a numpy array file ({error}); run again to rebuild it") from error
    has_shape = array.ndim == len(shape) and all(
        wanted in (-1, size) for wanted, size in zip(shape, array.shape, strict=True)
    )
    if not has_shape or array.dtype not in types:
        names = " or ".join(np.dtype(each).name for each in types)
        raise PipelineError(
            f"{path} holds {array.dtype} of shape {array.shape}, not {names} of shape {shape}; run again to rebuild it"
        )
    return array


def _contradiction(reviews: PackedReviews, vocabulary_size: int) -> str | None:
    """The first contradiction between the arrays or with the vocabulary, or None."""
    ids, offsets, labels, lengths = reviews.ids, reviews.offsets, reviews.labels, reviews.lengths
    if not len(labels) == len(lengths) == len(offsets) - 1:
        return f"{len(labels)} labels, {len(lengths)} lengths and {len(offsets)} offsets"
    if offsets[0] != 0 or offsets[-1] != len(ids):
        return f"offsets from {offsets[0]} to {offsets[-1]} over {len(ids)} ids"
    for start in range(0, len(labels), _PIECE):
        piece = slice(start, start + _PIECE)
        if (lengths[piece] < 0).any() or (np.diff(offsets[start : start + _PIECE + 1]) != lengths[piece]).any():
            return "lengths.npy and offsets.npy differ"
        if ((labels[piece] != 0) & (labels[piece] != 1)).any():
            return "labels.npy holds more than 0 and 1"
    for start in range(0, len(ids), _PIECE):
        if (largest := ids[start : start + _PIECE].max()) >= vocabulary_size:
            return f"ids.npy holds the id {largest}, the vocabulary has {vocabulary_size}"
    return None
