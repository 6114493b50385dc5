from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pipeline.layout import PACKED_ARRAYS
from sentiment_pipeline.text.pack import write_packed
from sentiment_pipeline.text.tables import ENCODED, parquet_writer

Review = tuple[int, list[int]]
REVIEW = st.tuples(st.integers(0, 1), st.lists(st.integers(0, 60_000), max_size=5))


def packed(folder: Path, shards: list[list[Review]], vocabulary: int) -> dict[str, np.ndarray]:
    for number, reviews in enumerate(shards):
        with parquet_writer(folder / f"{number}.parquet", ENCODED) as file:
            for start in range(0, len(reviews), 2):
                labels, ids = zip(*reviews[start : start + 2], strict=True)
                file.write_table(pa.table([labels, [""] * len(labels), ids], ENCODED))
    everything = [review for reviews in shards for review in reviews]
    write_packed(
        [folder / f"{number}.parquet" for number in range(len(shards))],
        len(everything),
        sum(len(ids) for _, ids in everything),
        vocabulary,
        {name: folder / f"{name}.npy" for name in PACKED_ARRAYS},
    )
    return {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in PACKED_ARRAYS}


@settings(max_examples=50)
@given(shards=st.lists(st.lists(REVIEW, max_size=5), max_size=3))
def test_the_arrays_hold_all_reviews_in_order(
    tmp_path_factory: pytest.TempPathFactory, shards: list[list[Review]]
) -> None:
    arrays = packed(tmp_path_factory.mktemp("packed"), shards, 60_001)
    everything = [review for reviews in shards for review in reviews]
    assert [arrays["ids"][start:end].tolist() for start, end in pairwise(arrays["offsets"])] == [
        ids for _, ids in everything
    ]
    assert arrays["labels"].tolist() == [label for label, _ in everything]
    assert arrays["lengths"].tolist() == [len(ids) for _, ids in everything]
    assert {name: array.dtype for name, array in arrays.items()} == {
        "ids": np.uint16,
        "offsets": np.int64,
        "labels": np.int8,
        "lengths": np.int32,
    }


@pytest.mark.parametrize(("vocabulary", "type_of_ids"), [(1 << 16, np.uint16), ((1 << 16) + 1, np.uint32)])
def test_ids_take_no_more_bytes_than_the_vocabulary_needs(tmp_path: Path, vocabulary: int, type_of_ids: type) -> None:
    arrays = packed(tmp_path, [[(1, [vocabulary - 1])]], vocabulary)
    assert arrays["ids"].dtype == type_of_ids
    assert arrays["ids"].tolist() == [vocabulary - 1]
