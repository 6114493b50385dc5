"""The data gate over folders with planted faults: what it finds, and what is done about it."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sentiment_pipeline import layout
from sentiment_pipeline.engine.stage import Outcome, run_stages
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.stages import ingest, quality, tokenize
from sentiment_pipeline.stages.pipeline import PREPARE
from tests.folders import contents
from tests.stages.prepared import make_run, shards
from tests.stages.test_growth import Names, serially

GATE = (ingest.STAGE, tokenize.STAGE, quality.STAGE)
WORDS = [f"{one}{other}" for one in "abcdefghijkl" for other in ("an", "el", "ir", "or", "um")]


class Warned(Names):
    """Keeps the warnings of a run, too."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings = dict[str, tuple[str, ...]]()

    def ended(self, stage: str, outcome: Outcome) -> None:
        self.warnings[stage] = outcome.warnings


def texts(count: int, seed: int) -> list[str]:
    drawn = random.Random(seed)
    return [" ".join(drawn.choices(WORDS, k=30)) for _ in range(count)]


def write(path: Path, reviews: list[str], label: Callable[[int], int] = lambda number: number % 2 + 1) -> Path:
    path.write_text("".join(f"__label__{label(number)} {text}\n" for number, text in enumerate(reviews)))
    return path


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, Path]:
    """200 training reviews, of which 3 are test reviews, 2 nearly, 4 come twice, one of them with the other label."""
    train, test = texts(200, 1), texts(50, 2)
    train[10], train[11], train[12] = test[0], f"  {test[1].upper()}!! ", test[2].replace(" ", "  ")
    train[20], train[21] = (f"{text} indeed" for text in test[3:5])
    train[100], train[103], train[104], train[106] = train[30], train[33], train[34], train[35]
    return write(tmp_path / "train.txt", train), write(tmp_path / "test.txt", test)


def gate(files: tuple[Path, Path], data_dir: Path, stages: Any = GATE, **config: Any) -> Warned:
    watching = Warned()
    run = make_run(*files, data_dir, "quick", 2_000, quality=config)
    run_stages(run, stages, serially, watching)
    return watching


def reviews_of_test(data_dir: Path) -> set[str]:
    return {*shards(data_dir, "test")[1]}


def found(data_dir: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((data_dir / layout.QUALITY).read_text())
    return content


def test_what_was_planted_is_found_and_nothing_else(planted: tuple[Path, Path], tmp_path: Path) -> None:
    warnings = gate(planted, tmp_path / "data").warnings["quality"]
    content = found(tmp_path / "data")
    assert content["leakage"] == {"exact": 3, "near": 2}
    assert {name: content["train"][name] for name in ("duplicates", "near_duplicates", "contradictory")} == {
        "duplicates": 4,
        "near_duplicates": 0,
        "contradictory": 2,
    }
    assert content["test"]["duplicates"] == content["test"]["near_duplicates"] == 0
    assert any("5 training reviews are test reviews too (3 the same, 2 nearly)" in each for each in warnings)
    assert any("4 of 200 train reviews are duplicates" in each for each in warnings)


def test_clean_data_has_no_warnings(tmp_path: Path) -> None:
    files = write(tmp_path / "train.txt", texts(200, 1)), write(tmp_path / "test.txt", texts(50, 2))
    assert gate(files, tmp_path / "data").warnings["quality"] == ()


def test_a_fault_that_fails_is_named_and_leaves_what_was_found(planted: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"5 training reviews are test reviews too.*quality\.json"):
        gate(planted, tmp_path / "data", leakage="fail")
    assert found(tmp_path / "data")["leakage"]["exact"] == 3
    assert gate(planted, tmp_path / "data", leakage="fail", max_leakage=0.5).done == {"quality/judged"}


def test_dropping_leaves_everything_else_as_it_would_be_without_those_reviews(
    planted: tuple[Path, Path], tmp_path: Path
) -> None:
    kept, dropped = tmp_path / "kept", tmp_path / "dropped"
    gate(planted, kept, PREPARE)
    warnings = gate(planted, dropped, PREPARE, leakage="drop", duplicates="drop").warnings["quality"]
    assert warnings == ("9 training reviews dropped, as quality.* says",)
    leaks = {*shards(kept, "train")[1], *shards(kept, "validation")[1]}
    leaks &= {
        text
        for text in leaks
        if " ".join(text.replace("!", "").split()).removesuffix(" indeed") in reviews_of_test(kept)
    }
    assert len(leaks) == 5
    for split in ("train", "validation"):
        expected = [text for text in dict.fromkeys(shards(kept, split)[1]) if text not in leaks]
        assert shards(dropped, split)[1] == expected, "the others are there, once each, in their order"
    assert sum(len(shards(dropped, split)[1]) for split in ("train", "validation")) == 200 - 9
    assert shards(dropped, "test")[1] == shards(kept, "test")[1]


def test_dropping_nothing_changes_nothing(tmp_path: Path) -> None:
    files = write(tmp_path / "train.txt", texts(200, 1)), write(tmp_path / "test.txt", texts(50, 2))
    gate(files, tmp_path / "data", PREPARE)
    before = contents(tmp_path / "data")
    again = gate(files, tmp_path / "data", PREPARE, leakage="drop", duplicates="drop")
    assert again.done == {"quality/judged"}
    assert contents(tmp_path / "data") == before


def test_ranges_of_hashes_find_the_same(
    planted: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate(planted, tmp_path / "one")
    monkeypatch.setattr(quality, "_AT_ONCE", 40)
    many = gate(planted, tmp_path / "many")
    assert sum(step.startswith("quality/equal/") for step in many.done) == 7
    for name in (layout.QUALITY, layout.FOUND_REVIEWS, layout.DROPPED_REVIEWS):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


def test_the_last_build_is_compared(planted: tuple[Path, Path], tmp_path: Path) -> None:
    gate(planted, tmp_path / "data")
    write(planted[0], texts(200, 7), label=lambda number: 1 if number % 4 else 2)
    warnings = gate(planted, tmp_path / "data").warnings["quality"]
    assert "train: positive 50.0% -> 25.0% since the last build" in warnings


def test_a_pair_that_is_less_similar_than_before_is_judged_anew(tmp_path: Path) -> None:
    """Even if it still meets in the same bands, and nothing that is counted has changed."""
    train, test = texts(50, 1), write(tmp_path / "test.txt", texts(20, 2))
    for changed, near in ((2, 1), (5, 0)):
        words = train[0].split()
        words[-changed:] = [WORDS[-1]] * changed
        train[1] = " ".join(words)
        gate((write(tmp_path / "train.txt", train), test), tmp_path / "data", near=0.75)
        assert found(tmp_path / "data")["train"]["near_duplicates"] == near
