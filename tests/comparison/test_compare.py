import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sentiment_pipeline.comparison import compare, read_folder
from sentiment_pipeline.comparison.compare import InputChanges, _input_changes
from sentiment_pipeline.comparison.folder import InputFile
from tests.comparison.folders import Edit, model_folder


def files(*pairs: str) -> Sequence[InputFile]:
    """Files from `name=content`."""
    return [InputFile(*pair.split("=")) for pair in pairs]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (["x=1", "y=2"], ["x=1", "y=2"], InputChanges((), (), (), (), False)),
        (["x=1"], ["x=1", "y=2"], InputChanges(("y",), (), (), (), False)),
        (["x=1", "y=2"], ["y=2"], InputChanges((), ("x",), (), (), False)),
        (["x=1"], ["x=2"], InputChanges((), (), ("x",), (), False)),
        (["x=1"], ["y=1"], InputChanges((), (), (), (("x", "y"),), False)),
        (["x=1", "y=2"], ["y=2", "x=1"], InputChanges((), (), (), (), True)),
        (["x=1", "y=2"], ["x=2", "z=3"], InputChanges(("z",), ("x",), (), (("y", "x"),), False)),
        (["x=1", "x=1"], ["x=1"], InputChanges((), (), (), (), False)),
        ([], ["x=1"], InputChanges(("x",), (), (), (), False)),
    ],
)
def test_files_are_known_by_name_and_content(a: list[str], b: list[str], expected: InputChanges) -> None:
    assert _input_changes(files(*a), files(*b)) == expected


def test_a_folder_does_not_differ_from_itself(trained: Path) -> None:
    found = compare(read_folder(trained), read_folder(trained / "model"))
    assert (found.settings, found.versions, found.stages, found.figures) == ({}, {}, {}, {})
    assert found.same_test_reviews
    assert found.quality is None
    assert found.accuracies["test"].difference == 0
    assert not found.accuracies["test"].is_beyond_chance


def test_settings_versions_stages_and_figures_that_differ_are_named(trained: Path, tmp_path: Path) -> None:
    def edit(lineage: dict[str, Any]) -> None:
        lineage["settings"]["model"]["hidden"] = 256
        del lineage["settings"]["split"]["seed"]
        lineage["versions"]["torch"] = "3.0"
        lineage["stages"]["train"] = "0" * 64
        lineage["metrics"]["test"]["loss"] = 0.25

    a, b = read_folder(trained), read_folder(model_folder(trained, tmp_path / "b", edit))
    found = compare(a, b)
    assert found.settings == {"model.hidden": (8, 256), "split.seed": (0, None)}
    assert found.versions == {"torch": (a.versions["torch"], "3.0")}
    assert found.stages == {"train": (a.stages["train"], "0" * 64)}
    assert found.figures == {"test.loss": (a.metrics["test"]["loss"], 0.25)}


@pytest.mark.parametrize(
    ("accuracies", "reviews", "beyond"),
    [((0.92, 0.93), (25_000, 25_000), True), ((0.92, 0.93), (1_000, 1_000), False), ((1.0, 1.0), (10, 10), False)],
)
def test_a_difference_is_judged_by_the_number_of_reviews(
    accuracies: tuple[float, float], reviews: tuple[int, int], beyond: bool, trained: Path, tmp_path: Path
) -> None:
    def edit(accuracy: float, count: int) -> Edit:
        return lambda lineage: lineage["metrics"]["test"].update(accuracy=accuracy, reviews=count)

    a, b = (
        read_folder(model_folder(trained, tmp_path / str(number), edit(accuracies[number], reviews[number])))
        for number in range(2)
    )
    found = compare(a, b).accuracies["test"]
    assert (found.values, found.reviews, found.is_beyond_chance) == (accuracies, reviews, beyond)
    assert found.difference == pytest.approx(accuracies[1] - accuracies[0])


def test_without_reviews_there_is_no_accuracy_to_compare(trained: Path, tmp_path: Path) -> None:
    def edit(lineage: dict[str, Any]) -> None:
        lineage["metrics"]["validation"] = {"reviews": 0, "accuracy": None, "loss": None}

    found = compare(read_folder(trained), read_folder(model_folder(trained, tmp_path / "b", edit)))
    assert list(found.accuracies) == ["test"]


def test_the_numbers_of_the_data_gate_are_compared_where_both_have_them(trained: Path, tmp_path: Path) -> None:
    folders = [model_folder(trained, tmp_path / name) for name in "ab"]
    (folders[0] / "quality.json").write_text(json.dumps({"train": {"reviews": 5, "duplicates": 1, "ok": True}}))
    assert compare(*map(read_folder, folders)).quality is None
    (folders[1] / "quality.json").write_text(json.dumps({"train": {"reviews": 5, "duplicates": 2, "ok": False}}))
    assert compare(*map(read_folder, folders)).quality == {"train.duplicates": (1, 2)}


def test_without_a_digest_the_files_decide_whether_the_test_reviews_are_the_same(trained: Path, tmp_path: Path) -> None:
    def older(lineage: dict[str, Any]) -> None:
        del lineage["test_reviews"]

    def other_lines(lineage: dict[str, Any]) -> None:
        older(lineage)
        lineage["settings"]["ingest"]["test_lines"] = 10

    a = read_folder(trained)
    assert compare(a, read_folder(model_folder(trained, tmp_path / "b", older))).same_test_reviews
    assert not compare(a, read_folder(model_folder(trained, tmp_path / "c", other_lines))).same_test_reviews
