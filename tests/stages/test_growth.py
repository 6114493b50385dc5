"""A folder grows: further files and lines cost what they are, and its results are those of a build from nothing."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sentiment_pipeline import layout
from sentiment_pipeline.engine.manifest import JSON, Manifest
from sentiment_pipeline.engine.stage import Outcome, PlannedStep, run_stages
from sentiment_pipeline.engine.step import ProgressCallback, Step, perform
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.stages.pipeline import PREPARE
from tests.folders import contents
from tests.stages.prepared import make_run, shards

LARGE = 1 << 19  # bytes of a shard
FROZEN: Any = {"vocabulary": {"source": "frozen"}}


class Names:
    """An observer that keeps the names of the steps that were done."""

    def __init__(self) -> None:
        self.done = set[str]()

    def performed(self, stage: str, manifest: Manifest) -> None:
        self.done.add(manifest.step)

    def planned(self, stage: str, todo: Sequence[PlannedStep], finished: int) -> None: ...
    def progressed(self, stage: str, figures: dict[str, JSON]) -> None: ...
    def ended(self, stage: str, outcome: Outcome) -> None: ...


def serially(steps: Sequence[Step], data_dir: Path, on_progress: ProgressCallback) -> Iterable[Manifest]:
    return (perform(step, data_dir, on_progress) for step in steps)


def build(data_dir: Path, train: Sequence[Path], test: Path, size: int = 4_000, **groups: Any) -> set[str]:
    """Prepare a folder; the steps that were done."""
    observer = Names()
    run_stages(make_run(train, test, data_dir, "quick", size, **groups), PREPARE, serially, observer)
    return observer.done


def of_parts(stage: str, steps: set[str]) -> set[str]:
    """The steps of a stage over one range each."""
    return {step for step in steps if step.startswith(f"{stage}/t")}


def results(data_dir: Path) -> dict[str, str]:
    """What is for people and for training; the rest is kept for the next run."""
    final = ("shards/", "packed/", "rejected/", layout.VOCABULARY)
    return {name: digest for name, digest in contents(data_dir).items() if name.startswith(final)}


def write(path: Path, first: int, count: int, mode: str = "w") -> Path:
    """Numbered reviews, of words that come again and some that do not, and a line that is none."""
    words = ["good", "bad", "fine", "poor", "film", "plot", "book"]
    with path.open(mode) as file:
        for number in range(first, first + count):
            text = " ".join(words[number * step % 7] for step in range(1, 9))
            rare = "".join(chr(97 + int(digit)) for digit in str(number))
            file.write(f"__label__{number % 2 + 1} {text} {rare}\n")
        file.write("no label\n")
    return path


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Three files of 300 reviews to train on, of several shards each, and one to test with."""
    return {
        name: write(tmp_path / f"{name}.txt", first, 300)
        for name, first in {"a": 0, "b": 1000, "c": 2000, "test": 5000}.items()
    }


def test_a_further_file_costs_its_own_shards(files: dict[str, Path], tmp_path: Path) -> None:
    a, b, c, test = files.values()
    grown, fresh = tmp_path / "grown", tmp_path / "fresh"
    first, second, whole = build(grown, [a, b], test), build(grown, [a, b, c], test), build(fresh, [a, b, c], test)
    for stage in ("ingest", "tokenize"):
        assert of_parts(stage, second) - {"ingest/train/total"} == of_parts(stage, whole) - of_parts(stage, first)
        assert len(of_parts(stage, second)) > 2
    assert contents(grown) == contents(fresh)


def test_a_file_that_is_gone_takes_its_shards_with_it(files: dict[str, Path], tmp_path: Path) -> None:
    a, b, c, test = files.values()
    shrunk, fresh = tmp_path / "shrunk", tmp_path / "fresh"
    build(shrunk, [a, b, c], test)
    done = build(shrunk, [b, c], test)
    build(fresh, [b, c], test)
    assert of_parts("ingest", done) == {"ingest/train/total"}
    assert of_parts("tokenize", done) == set()
    assert contents(shrunk) == contents(fresh)


def test_files_are_recognized_under_other_names_elsewhere_and_in_another_order(
    files: dict[str, Path], tmp_path: Path
) -> None:
    a, b, _, test = files.values()
    data_dir = tmp_path / "data"
    build(data_dir, [a, b], test)
    (tmp_path / "moved").mkdir()
    a = a.rename(tmp_path / "moved" / "first.txt")
    done = build(data_dir, [b, a], test)
    assert {step.split("/")[0] for step in done} == {"ingest", "tokenize", "quality", "vocabulary", "encode"}
    assert of_parts("ingest", done) == {"ingest/train/total"}
    assert of_parts("tokenize", done) | of_parts("vocabulary/counts", done) == set()
    assert pq.read_table(data_dir / "rejected/train.parquet")["file"].to_pylist() == ["b.txt", "first.txt"]
    build(tmp_path / "fresh", [b, a], test)
    assert contents(data_dir) == contents(tmp_path / "fresh")


def test_further_lines_cost_the_last_shards(files: dict[str, Path], tmp_path: Path) -> None:
    a, test = write(files["a"], 0, 80_000), files["test"]
    grown, fresh = tmp_path / "grown", tmp_path / "fresh"
    build(grown, [a], test, LARGE)
    write(a, 80_000, 100, "a")
    done, whole = build(grown, [a], test, LARGE), build(fresh, [a], test, LARGE)
    assert len(of_parts("tokenize", done)) == 1
    assert len(of_parts("ingest", done)) < len(of_parts("ingest", whole))
    assert contents(grown) == contents(fresh)


def test_with_a_frozen_vocabulary_only_what_is_new_is_encoded(files: dict[str, Path], tmp_path: Path) -> None:
    a, b, c, test = files.values()
    data_dir, fresh = tmp_path / "data", tmp_path / "fresh"
    first = build(data_dir, [a, b], test)
    words = (data_dir / layout.VOCABULARY).read_bytes()
    assert of_parts("encode", build(data_dir, [a, b], test, **FROZEN)) == set(), "freezing encodes nothing anew"
    second = build(data_dir, [a, b, c], test, **FROZEN)
    assert (data_dir / layout.VOCABULARY).read_bytes() == words
    assert of_parts("encode", second) and not of_parts("encode", second) & of_parts("encode", first)

    (tmp_path / "model").mkdir()
    shutil.copy(data_dir / layout.VOCABULARY, tmp_path / "model")
    build(fresh, [a, b, c], test, vocabulary={"source": str(tmp_path / "model")})
    assert results(data_dir) == results(fresh)
    assert build(fresh, [a, b, c], test, **FROZEN) == {"vocabulary/ids"}


def test_a_review_that_was_once_held_out_never_trains(files: dict[str, Path], tmp_path: Path) -> None:
    a, b, c, test = files.values()
    held_out, trained = set[str](), set[str]()
    for train in ([a], [b, a], [c, b], [a, b, c]):
        build(tmp_path / "data", train, test, split={"fraction": 0.3})
        held_out.update(shards(tmp_path / "data", "validation")[1])
        trained.update(shards(tmp_path / "data", "train")[1])
    assert held_out and trained
    assert not held_out & trained


@pytest.mark.parametrize(
    ("source", "words"), [("frozen", "has no vocabulary yet"), ("/nowhere", "/nowhere/vocabulary.parquet is missing")]
)
def test_a_vocabulary_that_is_not_there_is_named(
    files: dict[str, Path], tmp_path: Path, source: str, words: str
) -> None:
    with pytest.raises(PipelineError, match=words):
        build(tmp_path / "data", [files["a"]], files["test"], vocabulary={"source": source})


def test_a_frozen_vocabulary_that_is_damaged_is_not_replaced(files: dict[str, Path], tmp_path: Path) -> None:
    data_dir, train = tmp_path / "data", [files["a"]]
    build(data_dir, train, files["test"])
    build(data_dir, train, files["test"], **FROZEN)
    (data_dir / layout.VOCABULARY).write_bytes(b"damaged")
    with pytest.raises(PipelineError, match="a frozen vocabulary cannot be counted again"):
        build(data_dir, train, files["test"], **FROZEN)
    assert (data_dir / layout.VOCABULARY).read_bytes() == b"damaged"


def test_a_test_file_among_the_training_files_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"b\.txt and .*b\.txt are the same file"):
        build(tmp_path / "data", [files["a"], files["b"]], files["b"])
