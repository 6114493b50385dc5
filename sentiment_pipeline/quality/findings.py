"""What was found in the reviews, as plain data, and what there is to say of it."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from sentiment_pipeline.formatting import counted, percent
from sentiment_pipeline.quality.config import QualityConfig
from sentiment_pipeline.quality.shard import LENGTH_BINS
from sentiment_pipeline.quality.words import SCRIPTS

__all__ = ["changes", "dropped", "faults", "findings_rows", "quality"]

_QUANTILES = {"median": 0.5, "p95": 0.95, "longest": 1.0}
_MOVED = 0.05  # of a fraction, which is worth a word
_STRETCHED = 1.25  # of a length


def quality(found: pl.DataFrame, counted_by_input: Mapping[str, Mapping[str, Any]], unknown: float) -> dict[str, Any]:
    """The content of `quality.json`.

    Args:
        found: as `flagged` gives it.
        counted_by_input: for `train` and `test` the number of `reviews` and of `positive` ones, and `short`, `lengths`
            and `scripts` as `write_sketches` counts them, over all shards.
        unknown: the fraction of the test reviews' words that no training review has.
    """
    of_input = {
        source: _findings(found.filter(pl.col("trains") == (source == "train")), **figures)
        for source, figures in counted_by_input.items()
    }
    leakage = {"exact": int(found["leaks"].sum()), "near": int(found["nearly_leaks"].sum())}
    return {**of_input, "leakage": leakage, "unknown_words": unknown}


def dropped(found: pl.DataFrame, faults: Collection[str]) -> pl.DataFrame:
    """The training reviews that are left out for some of the faults `leakage` and `duplicates`."""
    columns = {"leakage": ("leaks", "nearly_leaks"), "duplicates": ("repeats", "nearly_repeats")}
    wanted = [column for fault in faults for column in columns[fault]]
    return found.filter(pl.col("trains") & (pl.any_horizontal(wanted) if wanted else pl.lit(value=False)))


def _findings(
    found: pl.DataFrame, reviews: int, positive: int, short: int, lengths: Any, scripts: Any
) -> dict[str, Any]:
    """What is said of the reviews of an input."""
    lengths, scripts = np.array(lengths), np.array(scripts)
    positions = np.searchsorted(np.cumsum(lengths), np.ceil(np.array([*_QUANTILES.values()]) * reviews))
    words = {name: int(LENGTH_BINS[max(0, at - 1)]) for name, at in zip(_QUANTILES, positions, strict=True)}
    total = max(1, int(scripts.sum()))
    shares = {
        name: round(int(count) / total, 6) for name, count in zip((*SCRIPTS, "other"), scripts, strict=True) if count
    }
    return {
        "reviews": reviews,
        "positive": positive,
        "duplicates": int(found["repeats"].sum()),
        "near_duplicates": int(found["nearly_repeats"].sum()),
        "contradictory": int(found["contradicts"].sum()),
        "short": short,
        "words": words,
        "scripts": shares,
    }


def faults(found: Mapping[str, Any], config: QualityConfig) -> Iterator[tuple[str, str]]:
    """The name of the setting that decides on each fault, and a sentence on it.

    Args:
        found: the content of `quality.json`.
        config: what is a fault.
    """
    leaks, tested = found["leakage"], found["test"]["reviews"]
    if (leaking := leaks["exact"] + leaks["near"]) > config.max_leakage * tested:
        yield (
            "leakage",
            f"{counted(leaking, 'training review')} are test reviews too ({leaks['exact']:,} the same, "
            f"{leaks['near']:,} nearly), so the test accuracy is too high; quality.leakage=drop leaves them out of "
            "training",
        )
    for source in ("train", "test"):
        yield from _faults_of(source, found[source], config)
    if (unknown := found["unknown_words"]) > config.max_unknown:
        yield "faults", f"{percent(unknown, 1)} of the test reviews' words are in no training review"


def _faults_of(source: str, found: Mapping[str, Any], config: QualityConfig) -> Iterator[tuple[str, str]]:
    reviews = found["reviews"]
    if (repeated := found["duplicates"] + found["near_duplicates"]) > config.max_duplicates * reviews:
        yield (
            "duplicates",
            f"{repeated:,} of {counted(reviews, f'{source} review')} are duplicates of others "
            f"({found['near_duplicates']:,} of them nearly)",
        )
    if (count := found["contradictory"]) > config.max_contradictory * reviews:
        yield "faults", f"{count:,} of {counted(reviews, f'{source} review')} have a text that comes with both labels"
    if (rarer := min(found["positive"], reviews - found["positive"])) < config.min_class * reviews:
        label = "positive" if rarer == found["positive"] else "negative"
        yield "faults", f"only {rarer:,} of {counted(reviews, f'{source} review')} are {label}"
    if (count := found["short"]) > config.max_short * reviews:
        yield "faults", f"{count:,} of {counted(reviews, f'{source} review')} have fewer than three words"


def findings_rows(found: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """What was found as a table: what it is, and the figures of the training and of the test reviews.

    Args:
        found: the content of `quality.json`.
    """
    names = ("reviews", "positive", "duplicates", "near_duplicates", "contradictory", "short")
    rows = [(name.replace("_", " "), *(found[source][name] for source in ("train", "test"))) for name in names]
    rows += [(f"words, {name}", *(found[source]["words"][name] for source in ("train", "test"))) for name in _QUANTILES]
    rows += [(f"in the test set, {name}", found["leakage"][name], None) for name in ("exact", "near")]
    return [*rows, ("unknown words", None, percent(found["unknown_words"], 1))]


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """A sentence on each figure that has changed much since the last build."""
    for source in ("train", "test"):
        old, new = before[source], now[source]
        for name in ("positive", "duplicates", "near_duplicates", "contradictory", "short"):
            shares = [each[name] / max(1, each["reviews"]) for each in (old, new)]
            if abs(shares[1] - shares[0]) > _MOVED:
                words = name.replace("_", " ")
                yield f"{source}: {words} {percent(shares[0], 1)} -> {percent(shares[1], 1)} since the last build"
        one, other = (max(1, each["words"]["median"]) for each in (old, new))
        if max(one, other) > _STRETCHED * min(one, other):
            yield f"{source}: the median length {one} -> {other} words since the last build"
    if abs(now["unknown_words"] - before["unknown_words"]) > _MOVED:
        shares = [percent(each["unknown_words"], 1) for each in (before, now)]
        yield f"unknown words of the test reviews {shares[0]} -> {shares[1]} since the last build"
