"""Rows of different lengths, laid end to end in one array, as Arrow does; many of them are sliced at once."""

import numpy as np
import pyarrow as pa

__all__ = ["bytes_of", "concat_ranges", "list_array", "offsets_of", "string_array", "take_slices"]


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Where rows of these lengths begin, and the end of the last one; int64, [rows + 1].

    >>> offsets_of(np.array([2, 0, 1]))
    array([0, 2, 2, 3])
    """
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def concat_ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Consecutive integers from each start on, as many as its length says, end to end.

    Args:
        starts: int32 or int64, [ranges]; 32 bits take two thirds of the time of 64.
        lengths: any integers, [ranges]; their sum must fit into the type of `starts`.

    Returns:
        An array of the type of `starts`, [sum of lengths].

    >>> concat_ranges(np.array([7, 20]), np.array([3, 2]))
    array([ 7,  8,  9, 20, 21])
    """
    ends = np.cumsum(lengths, dtype=starts.dtype)
    numbers = np.repeat(starts - (ends - lengths).astype(starts.dtype), lengths)
    numbers += np.arange(len(numbers), dtype=starts.dtype)
    return numbers


def list_array(lengths: np.ndarray, values: pa.Array) -> pa.ListArray:
    """Lists of these lengths, whose values lie end to end."""
    return pa.ListArray.from_arrays(pa.array(offsets_of(lengths).astype(np.int32)), values)


def bytes_of(strings: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of strings or binaries without nulls.

    Returns:
        The bytes, end to end (uint8), and where each string begins and the last one ends (int32, [strings + 1]). Both
        are views of the array if it begins at the beginning of its buffers.
    """
    _, offsets, text = strings.buffers()
    bounds = np.frombuffer(offsets, np.int32)[strings.offset :][: len(strings) + 1]
    return np.frombuffer(text or b"", np.uint8)[bounds[0] : bounds[-1]], bounds - bounds[0] if bounds[0] else bounds


def string_array(offsets: np.ndarray, text: np.ndarray) -> pa.StringArray:
    """The strings between consecutive offsets (int32) of UTF-8 `text` (uint8); nothing is copied."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(text))


def take_slices(text: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> pa.StringArray:
    """The strings in slices of UTF-8 `text` (uint8), which may overlap and come in any order.

    >>> take_slices(np.frombuffer(b"good film", np.uint8), np.array([5, 0]), np.array([9, 4])).to_pylist()
    ['film', 'good']
    """
    lengths = ends - starts
    return string_array(offsets_of(lengths).astype(np.int32), text[concat_ranges(starts, lengths)])
