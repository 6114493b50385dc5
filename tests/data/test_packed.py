import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pipeline.data.packed import _TYPES, open_packed
from sentiment_pipeline.errors import PipelineError
from tests.training.examples import VOCABULARY, write_arrays, write_packed

GOOD: dict[str, Any] = dict(
    ids=np.array([2, 3, 4, 5, 6], np.uint16),
    offsets=np.array([0, 2, 2, 5]),
    labels=np.array([0, 1, 1], np.int8),
    lengths=np.array([2, 0, 3], np.int32),
)


def test_a_review_is_the_ids_between_its_offsets(tmp_path: Path) -> None:
    reviews = open_packed(write_arrays(tmp_path, **GOOD), 7)
    assert len(reviews) == 3
    assert [reviews.ids[a:b].tolist() for a, b in zip(reviews.offsets, reviews.offsets[1:], strict=False)] == [
        [2, 3],
        [],
        [4, 5, 6],
    ]


def test_an_empty_split_can_be_opened(tmp_path: Path) -> None:
    empty = {name: array[:0] for name, array in GOOD.items()}
    assert len(open_packed(write_arrays(tmp_path, **{**empty, "offsets": np.array([0])}), 7)) == 0


def test_a_worker_maps_the_files_itself(tmp_path: Path) -> None:
    reviews = open_packed(write_packed(tmp_path, 10_000, seed=0), VOCABULARY)
    sent = pickle.dumps(reviews)
    assert len(sent) < 1000
    assert np.array_equal(pickle.loads(sent).ids, reviews.ids)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (dict(ids=np.array([2, 3, 4, 5, 7], np.uint16)), "the id 7, the vocabulary has 7"),
        (dict(ids=np.array([2, 3, 4, 5], np.uint16)), "offsets from 0 to 5 over 4 ids"),
        (dict(ids=np.array([2, 3, 4, 5, 6], np.int64)), "int64"),
        (dict(ids=np.array([[2, 3, 4, 5, 6]], np.uint16)), "shape"),
        (dict(offsets=np.array([1, 2, 2, 5])), "offsets from 1"),
        (dict(offsets=np.array([0, 9, 2, 5])), "differ"),
        (dict(offsets=np.array([], np.int64), labels=np.array([], np.int8)), "0 offsets"),
        (dict(lengths=np.array([2, 0, -3], np.int32)), "differ"),
        (dict(lengths=np.array([2, 3], np.int32)), "2 lengths"),
        (dict(labels=np.array([0, 1, 2], np.int8)), "more than 0 and 1"),
        (dict(labels=np.array([{}, 1, 2], object)), "not a numpy array file"),
    ],
)
def test_contradictions_are_found(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(PipelineError, match=fault):
        open_packed(write_arrays(tmp_path, **{**GOOD, **changes}), 7)


@pytest.mark.parametrize("name", _TYPES)
def test_a_missing_or_cut_file_is_named(tmp_path: Path, name: str) -> None:
    path = write_arrays(tmp_path, **GOOD) / f"{name}.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PipelineError, match=f"{name}.npy"):
        open_packed(tmp_path, 7)
    path.unlink()
    with pytest.raises(PipelineError, match=f"{name}.npy is missing"):
        open_packed(tmp_path, 7)


@settings(max_examples=100)
@given(
    name=st.sampled_from(sorted(_TYPES)),
    changes=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255))),
    end=st.integers(0, 300),
)
def test_a_fuzzed_file_is_an_error_or_still_good(
    tmp_path_factory: pytest.TempPathFactory, name: str, changes: list[tuple[int, int]], end: int
) -> None:
    path = write_arrays(tmp_path_factory.getbasetemp() / "fuzzed", **GOOD) / f"{name}.npy"
    content = bytearray(path.read_bytes())
    for position, value in changes:
        content[position % len(content)] = value
    path.write_bytes(content[:end] if end > 200 else content)
    try:
        reviews = open_packed(path.parent, 7)
    except PipelineError:
        return
    assert reviews.ids.max(initial=0) < 7
    assert np.array_equal(np.diff(reviews.offsets), reviews.lengths)
    assert set(reviews.labels.tolist()) <= {0, 1}
