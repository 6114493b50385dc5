"""Reviews that meet: those of equal hashes, over all shards; and which of those that meet in a band are similar."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from sentiment_pipeline.quality.sketch import shingles

__all__ = ["equal_reviews", "flagged", "maybe_similar", "pairs_of_bands", "similar_pairs"]

_SLACK = 0.2  # how far below the truth an estimated similarity may be, more than two standard errors

Words = Callable[[np.ndarray], list[np.ndarray]]


def _merged(batches: Sequence[pa.RecordBatch], offsets: Sequence[int], trained: int) -> pl.LazyFrame:
    """The rows of all shards with `review`, the number of the review over all shards, and whether it `trains`."""
    frames = [
        pl.from_arrow(batch).with_columns(review=pl.col("row").cast(pl.Int64) + offset).drop("row")  # type: ignore[union-attr]
        for batch, offset in zip(batches, offsets, strict=True)
    ]
    return pl.concat(frames).lazy().with_columns(trains=pl.col("review") < trained)


def equal_reviews(batches: Sequence[pa.RecordBatch], offsets: Sequence[int], trained: int) -> pl.DataFrame:
    """The reviews whose hash others have too.

    Args:
        batches: `hash`, `row` and `label` of the reviews of each shard.
        offsets: the number of the first review of each shard.
        trained: number of training reviews, which come first.

    Returns:
        `review` (int64, rising), `trains`, `repeats` (whether an earlier review of its input has its hash),
        `contradicts` (whether another review of its input has its hash and the other label) and `leaks` (whether it
        trains and a test review has its hash).

    >>> shard = pa.record_batch({"hash": pa.array([5, 5, 7], pa.uint64()), "row": [0, 2, 1], "label": [0, 1, 1]})
    >>> equal_reviews([shard], [0], trained=3).select("review", "repeats", "contradicts", "leaks").rows()
    [(0, False, True, False), (2, True, True, False)]
    """
    of_input = ["hash", "trains"]
    return (
        _merged(batches, offsets, trained)
        .filter(pl.len().over("hash") > 1)
        .with_columns(
            repeats=pl.col("review") > pl.col("review").min().over(of_input),
            contradicts=pl.col("label").n_unique().over(of_input) > 1,
            leaks=pl.col("trains") & ~pl.col("trains").all().over("hash"),
        )
        .select("review", "trains", "repeats", "contradicts", "leaks")
        .sort("review")
        .collect()
    )


def pairs_of_bands(
    batches: Sequence[pa.RecordBatch], offsets: Sequence[int], trained: int, repeated: np.ndarray
) -> pl.DataFrame:
    """Pairs of reviews that meet in a band: each with the first one of its input, and each that trains with a test one.

    Args:
        batches: `hash` and `row` of the reviews of each shard, in any band.
        offsets: the number of the first review of each shard.
        trained: number of training reviews, which come first.
        repeated: the reviews that are left out, because an earlier one of their input is equal; int64, [reviews].

    Returns:
        `review` and `other`, int64.
    """
    merged = (
        _merged(batches, offsets, trained)
        .filter(pl.len().over("hash") > 1)
        .filter(~pl.col("review").is_in(pl.Series(repeated).implode()))
        .with_columns(
            first=pl.col("review").min().over("hash", "trains"),
            tested=pl.when(~pl.col("trains")).then("review").min().over("hash"),
        )
    )
    within = merged.filter(pl.col("review") > pl.col("first")).select("review", other="first")
    across = merged.filter(pl.col("trains") & pl.col("tested").is_not_null()).select("review", other="tested")
    return pl.concat([within, across]).unique().sort("review", "other").collect()


def maybe_similar(one: np.ndarray, other: np.ndarray, near: float) -> np.ndarray:
    """Which pairs may have a similarity of `near`, by their minima; bool, [pairs].

    Args:
        one: the minima of a review of each pair; uint8, [pairs, MINIMA].
        other: those of the other one.
        near: the Jaccard similarity.
    """
    return np.asarray((one == other).mean(axis=1) >= near - _SLACK)


def similar_pairs(pairs: pl.DataFrame, words: Words, near: float) -> np.ndarray:
    """Which of the pairs are similar.

    Args:
        pairs: `review` and `other`.
        words: gives the hashes of the words of reviews, by their numbers in rising order.
        near: the Jaccard similarity of their sequences of three words from which they are.

    Returns:
        bool, [pairs].
    """
    numbers = np.unique(np.concatenate([pairs["review"].to_numpy(), pairs["other"].to_numpy()]))
    sets = {number: np.unique(shingles(each)) for number, each in zip(numbers.tolist(), words(numbers), strict=True)}
    return np.array([_jaccard(sets[one], sets[other]) >= near for one, other in pairs.rows()], bool)


def flagged(equal: pl.DataFrame, similar: pl.DataFrame, trained: int) -> pl.DataFrame:
    """All reviews of which there is something to say.

    Args:
        equal: as `equal_reviews` finds them, of all hashes.
        similar: the pairs that are similar.
        trained: number of training reviews, which come first.

    Returns:
        `review` (int64, rising), `trains`, `repeats`, `contradicts` and `leaks` as for `equal_reviews`, and besides
        these `nearly_repeats` and `nearly_leaks`, each for reviews of which the same is not true exactly.
    """
    is_across = (pl.col("review") < trained) & (pl.col("other") >= trained)
    near = (
        similar.with_columns(is_across=is_across)
        .group_by("review")
        .agg(nearly_repeats=(~pl.col("is_across")).any(), nearly_leaks=pl.col("is_across").any())
    )
    flags = ("repeats", "contradicts", "leaks", "nearly_repeats", "nearly_leaks")
    return (
        equal.select("review", *flags[:3])
        .join(near, on="review", how="full", coalesce=True)
        .with_columns(pl.col(flags).fill_null(value=False), trains=pl.col("review") < trained)
        .with_columns(
            nearly_repeats=pl.col("nearly_repeats") & ~pl.col("repeats"),
            nearly_leaks=pl.col("nearly_leaks") & ~pl.col("leaks"),
        )
        .select("review", "trains", *flags)
        .sort("review")
    )


def _jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """The Jaccard similarity of two sets without repetitions."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / max(1, len(one) + len(other) - common)
