"""The encoded shards of a split as four arrays that training maps into memory."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sentiment_pipeline.layout import PACKED_ARRAYS
from sentiment_pipeline.text.ragged import offsets_of
from sentiment_pipeline.text.tables import contiguous, row_groups_ahead, to_numpy

__all__ = ["write_packed"]


def write_packed(
    shards: Sequence[Path], reviews: int, tokens: int, vocabulary_size: int, outputs: Mapping[str, Path]
) -> None:
    """Write the token ids and labels of all shards in order, one row group at a time, as .npy files.

    | array | type, shape | holds |
    |---|---|---|
    | `ids` | uint16 if all ids fit, otherwise uint32; [tokens] | the ids of all reviews, one review after another |
    | `offsets` | int64, [reviews + 1] | where the ids of each review begin, and the end of the last one |
    | `labels` | int8, [reviews] | 0 negative, 1 positive |
    | `lengths` | int32, [reviews] | number of tokens |

    Args:
        shards: encoded shards, in the order of the reviews.
        reviews: number of reviews in all shards together.
        tokens: number of tokens in all shards together.
        vocabulary_size: number of ids, which are less than it.
        outputs: a path for each of `layout.PACKED_ARRAYS`.
    """
    id_type = np.uint16 if vocabulary_size <= 1 << 16 else np.uint32
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
            lengths = np.diff(to_numpy(lists.offsets))
            files["ids"].write(to_numpy(lists.values).astype(id_type).data)
            ends = end + offsets_of(lengths)[1:]
            files["offsets"].write(ends.data)
            files["labels"].write(to_numpy(contiguous(table["label"])).data)
            files["lengths"].write(lengths.astype(np.int32).data)
            end = ends[-1:] if len(ends) else end


def _write_header(file: BinaryIO, dtype: type[np.generic], length: int) -> None:
    """Begin a .npy file of one dimension."""
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": (length,)}
    np.lib.format.write_array_header_1_0(file, header)
