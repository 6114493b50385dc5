import numpy as np
import polars as pl
import pyarrow as pa

from sentiment_pipeline.quality.groups import equal_reviews, flagged, maybe_similar, pairs_of_bands, similar_pairs
from sentiment_pipeline.quality.sketch import MINIMA


def shard(hashes: list[int], labels: list[int] | None = None) -> pa.RecordBatch:
    order = np.argsort(hashes, kind="stable")
    columns = {"hash": pa.array(np.array(hashes, np.uint64)[order]), "row": pa.array(order.astype(np.uint32))}
    return pa.record_batch(columns | ({"label": pa.array(np.array(labels, np.int8)[order])} if labels else {}))


TRAIN, TEST = shard([5, 7, 5, 9], [1, 0, 1, 1]), shard([7, 8, 8, 5], [1, 0, 1, 0])


def test_equal_reviews_repeat_contradict_and_leak() -> None:
    found = equal_reviews([TRAIN, TEST], [0, 4], trained=4)
    assert found.rows() == [
        (0, True, False, False, True),
        (1, True, False, False, True),
        (2, True, True, False, True),
        (4, False, False, False, False),
        (5, False, False, True, False),
        (6, False, True, True, False),
        (7, False, False, False, False),
    ]


def test_pairs_meet_with_the_first_of_their_input_and_with_a_test_review() -> None:
    found = pairs_of_bands([TRAIN.select(["hash", "row"]), TEST.select(["hash", "row"])], [0, 4], 4, np.array([6]))
    assert found.rows() == [(0, 7), (1, 4), (2, 0), (2, 7)]


def test_similarity_is_that_of_the_sequences_of_three_words() -> None:
    reviews = {
        0: np.arange(20, dtype=np.uint32),
        3: np.arange(1, 21, dtype=np.uint32),
        9: np.arange(50, 70, dtype=np.uint32),
    }
    pairs = pl.DataFrame({"review": [3, 9], "other": [0, 0]})
    words = lambda numbers: [reviews[number] for number in numbers.tolist()]  # noqa: E731
    assert similar_pairs(pairs, words, 17 / 19).tolist() == [True, False]
    assert similar_pairs(pairs, words, 17 / 19 + 1e-9).tolist() == [False, False]


def test_minima_rule_out_what_is_far_from_similar() -> None:
    one = np.zeros((2, MINIMA), np.uint8)
    other = one.copy()
    other[1, : MINIMA // 2 + 1] = 1
    assert maybe_similar(one, other, 0.7).tolist() == [True, False]


def test_flags_of_similar_pairs_join_those_of_equal_reviews() -> None:
    equal = equal_reviews([TRAIN, TEST], [0, 4], trained=4)
    similar = pl.DataFrame({"review": [3, 3, 2, 5], "other": [0, 5, 0, 4]})
    found = flagged(equal, similar, trained=4).filter("nearly_repeats")
    assert found.select("review", "nearly_repeats", "nearly_leaks").rows() == [(3, True, True), (5, True, False)]


def test_nothing_found_has_no_rows() -> None:
    nothing = equal_reviews([shard([1, 2], [0, 1])], [0], trained=2)
    assert flagged(
        nothing, pl.DataFrame({"review": [], "other": []}, {"review": pl.Int64, "other": pl.Int64}), 2
    ).is_empty()
