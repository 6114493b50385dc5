"""The encoded shards of a split as four arrays that training maps into memory."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sentiment_pipeline.layout import PACKED_ARRAYS
from sentiment_pipeline.text.ragged import bounds
from sentiment_pipeline.text.tables import contiguous, numpy, row_groups_ahead

__all__ = ["write_packed"]


def write_packed(
    shards: Sequence[Path], reviews: int, tokens: int, vocabulary: int, outputs: Mapping[str, Path]
) -> None:
    """Write the token ids and labels of all shards in order, one row group at a time.

    `ids` holds the ids of all reviews one after the other, uint16 if the vocabulary allows, else uint32; `offsets`
    (int64, one more than reviews) where each review's begin and where the last one's end; `labels` (int8) and
    `lengths` (int32) are one a review.

    Args:
        reviews, tokens: how many there are in all shards together.
        vocabulary: how many ids there are.
        outputs: a path for each of `layout.PACKED_ARRAYS`.
    """
    id_type = np.uint16 if vocabulary <= 1 << 16 else np.uint32
    with ExitStack() as stack:
        files = {name: stack.enter_context(outputs[name].open("wb")) for name in PACKED_ARRAYS}
        _write_header(files["ids"], id_type, tokens)
        _write_header(files["offsets"], np.int64, reviews + 1)
        _write_header(files["labels"], np.int8, reviews)
        _write_header(files["lengths"], np.int32, reviews)
        end = np.zeros(1, np.int64)
        files["offsets"].write(end.data)
        for table in row_groups_ahead(shards, ["label", "token_ids"]):
            lists = contiguous(table["token_ids"])
            lengths = np.diff(numpy(lists.offsets))
            files["ids"].write(numpy(lists.values).astype(id_type).data)
            ends = end + bounds(lengths)[1:]
            files["offsets"].write(ends.data)
            files["labels"].write(numpy(contiguous(table["label"])).data)
            files["lengths"].write(lengths.astype(np.int32).data)
            end = ends[-1:] if len(ends) else end


def _write_header(file: BinaryIO, dtype: type[np.generic], length: int) -> None:
    """Begin a .npy file of one dimension."""
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": (length,)}
    np.lib.format.write_array_header_1_0(file, header)
