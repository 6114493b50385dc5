from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from sentiment_pipeline.quality.config import QualityConfig
from sentiment_pipeline.quality.findings import changes, dropped, faults, findings_rows, quality
from sentiment_pipeline.quality.shard import LENGTH_BINS
from sentiment_pipeline.quality.words import SCRIPTS
from sentiment_pipeline.settings.preset import preset

CONFIG = QualityConfig(**preset("quick")["quality"])
FOUND = pl.DataFrame(
    {
        "review": [0, 3, 5, 120],
        "trains": [True, True, True, False],
        "repeats": [False, True, False, True],
        "contradicts": [False, False, True, False],
        "leaks": [True, False, False, False],
        "nearly_repeats": [False, False, True, False],
        "nearly_leaks": [False, True, False, False],
    }
)


def figures(reviews: int) -> dict[str, Any]:
    lengths = [0] * (len(LENGTH_BINS) + 1)
    lengths[1], lengths[8] = reviews // 4, reviews - reviews // 4
    return {
        "reviews": reviews,
        "positive": reviews // 2,
        "short": reviews // 4,
        "lengths": lengths,
        "scripts": [99, *[0] * (len(SCRIPTS) - 1), 1],
    }


def content(**changed: Any) -> dict[str, Any]:
    return {**quality(FOUND, {"train": figures(100), "test": figures(100)}, 0.02), **changed}


def test_what_quality_json_says() -> None:
    found = content()
    assert found["train"] == {
        "reviews": 100,
        "positive": 50,
        "duplicates": 1,
        "near_duplicates": 1,
        "contradictory": 1,
        "short": 25,
        "words": {"median": int(LENGTH_BINS[7]), "p95": int(LENGTH_BINS[7]), "longest": int(LENGTH_BINS[7])},
        "scripts": {"Latin": 0.99, "other": 0.01},
    }
    assert (found["test"]["duplicates"], found["leakage"], found["unknown_words"]) == (1, {"exact": 1, "near": 1}, 0.02)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_leakage": 0.01}, "2 training reviews are test reviews too (1 the same, 1 nearly)"),
        ({"max_duplicates": 0.01}, "2 of 100 train reviews are duplicates of others (1 of them nearly)"),
        ({"max_contradictory": 0.0}, "1 of 100 train reviews have a text that comes with both labels"),
        ({"min_class": 0.5}, ""),
        ({"max_short": 0.2}, "25 of 100 train reviews have fewer than three words"),
        ({"max_unknown": 0.01}, "2.0% of the test reviews' words are in no training review"),
    ],
)
def test_each_fault_is_beyond_its_limit(limits: dict[str, Any], words: str) -> None:
    none: dict[str, Any] = {
        f"max_{name}": 1.0 for name in ("leakage", "duplicates", "contradictory", "short", "unknown")
    }
    lenient = replace(CONFIG, **none, min_class=0.0)
    assert list(faults(content(), lenient)) == []
    said = [sentence for _, sentence in faults(content(), replace(lenient, **limits))]
    assert any(words in sentence for sentence in said) if words else said == []


def test_a_rare_class_is_a_fault() -> None:
    one_sided = content(train={**content()["train"], "positive": 95})
    assert ("faults", "only 5 of 100 train reviews are negative") in faults(one_sided, CONFIG)


@pytest.mark.parametrize(
    ("which", "rows"),
    [((), []), (("leakage",), [0, 3]), (("duplicates",), [3, 5]), (("leakage", "duplicates"), [0, 3, 5])],
)
def test_training_reviews_alone_are_dropped(which: tuple[str, ...], rows: list[int]) -> None:
    assert dropped(FOUND, which)["review"].to_list() == rows


def test_what_has_moved_since_the_last_build_is_said() -> None:
    before, now = content(), content(unknown_words=0.3)
    now["train"] = {**before["train"], "positive": 60, "words": {**before["train"]["words"], "median": 100}}
    assert list(changes(before, before)) == []
    said = list(changes(before, now))
    assert said == [
        "train: positive 50.0% -> 60.0% since the last build",
        f"train: the median length {LENGTH_BINS[7]} -> 100 words since the last build",
        "unknown words of the test reviews 2.0% -> 30.0% since the last build",
    ]


def test_the_table_has_a_row_for_each_figure() -> None:
    rows = findings_rows(content())
    assert rows[:4] == [("reviews", 100, 100), ("positive", 50, 50), ("duplicates", 1, 1), ("near duplicates", 1, 0)]
    assert rows[-3:] == [
        ("in the test set, exact", 1, None),
        ("in the test set, near", 1, None),
        ("unknown words", None, "2.0%"),
    ]
