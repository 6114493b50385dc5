"""Rows of different lengths, laid one after the other in one array: slicing many of them at once."""

import numpy as np
import pyarrow as pa

__all__ = ["bounds", "bytes_of", "list_array", "ranges", "string_array", "take_slices"]


def bounds(lengths: np.ndarray) -> np.ndarray:
    """Where rows of these lengths begin and, last, where they end; int64, shape (rows + 1,)."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The numbers from each start on, as many as its length says, one range after the other.

    They have the type of `starts`, which must hold their number too; 32 bits take two thirds of the time of 64.
    """
    ends = np.cumsum(lengths, dtype=starts.dtype)
    numbers = np.repeat(starts - (ends - lengths).astype(starts.dtype), lengths)
    numbers += np.arange(len(numbers), dtype=starts.dtype)
    return numbers


def list_array(lengths: np.ndarray, values: pa.Array) -> pa.ListArray:
    """Lists of these lengths, whose values lie one after the other."""
    return pa.ListArray.from_arrays(pa.array(bounds(lengths).astype(np.int32)), values)


def bytes_of(strings: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of strings or binaries, one after the other (uint8), and where each begins and the last ends (int32).

    Both are views of the array where it begins at the beginning of its buffers.
    """
    _, offsets, text = strings.buffers()
    bounds = np.frombuffer(offsets, np.int32)[strings.offset :][: len(strings) + 1]
    return np.frombuffer(text or b"", np.uint8)[bounds[0] : bounds[-1]], bounds - bounds[0] if bounds[0] else bounds


def string_array(offsets: np.ndarray, text: np.ndarray) -> pa.StringArray:
    """Strings that lie one after the other in UTF-8 `text` (uint8); offsets int32."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(text))


def take_slices(text: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> pa.StringArray:
    """The strings in slices of UTF-8 `text` (uint8)."""
    lengths = ends - starts
    return string_array(bounds(lengths).astype(np.int32), text[ranges(starts, lengths)])
