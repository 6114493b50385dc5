import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sentiment_pipeline.text.ragged import bytes_of, concat_ranges, list_array, offsets_of, take_slices


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 9))))
def test_ranges(pairs: list[tuple[int, int]]) -> None:
    starts, lengths = np.array([*pairs, (0, 0)]).T
    assert concat_ranges(starts, lengths).tolist() == [
        n for start, length in pairs for n in range(start, start + length)
    ]


def test_offsets_and_lists() -> None:
    assert offsets_of(np.array([2, 0, 1])).tolist() == [0, 2, 2, 3]
    assert list_array(np.array([2, 0, 1]), pa.array([7, 8, 9])).to_pylist() == [[7, 8], [], [9]]
    assert list_array(np.array([], int), pa.array([], pa.int32())).to_pylist() == []


def test_bytes_of_strings() -> None:
    strings = pa.array(["a", "", "é"])
    for array, text, offsets in (
        (strings, "aé", [0, 1, 1, 3]),
        (strings.slice(1), "é", [0, 0, 2]),
        (strings.slice(0, 0), "", [0]),
    ):
        found = bytes_of(array)
        assert found[0].tobytes().decode() == text
        assert found[1].tolist() == offsets


def test_slices_of_text() -> None:
    text = np.frombuffer(b"abcdef", np.uint8)
    assert take_slices(text, np.array([4, 0, 2]), np.array([6, 1, 2])).to_pylist() == ["ef", "a", ""]
