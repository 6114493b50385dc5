from pathlib import Path
from typing import Any

from sentiment_pipeline.comparison import compare, lines, read_folder
from tests.comparison.folders import model_folder


def shown(a: Path, b: Path) -> list[str]:
    return list(lines(compare(read_folder(a), read_folder(b)), a, b))


def test_equal_folders_in_a_few_lines(trained: Path, tmp_path: Path) -> None:
    copy = model_folder(trained, tmp_path / "copy")
    found = shown(trained, copy)
    assert found[:7] == [
        f"A: {trained}",
        f"B: {copy}",
        "inputs",
        "  train: the same",
        "  test: the same",
        "settings: the same",
        "versions: the same",
    ]
    assert found[-2].startswith("  test accuracy  ")
    assert found[-2].endswith(": the same")


def test_what_differs_in_plain_words(trained: Path, tmp_path: Path) -> None:
    def a(lineage: dict[str, Any]) -> None:
        lineage["metrics"]["test"].update(accuracy=0.92, reviews=25_000)
        lineage["metrics"]["validation"].update(accuracy=0.92, reviews=100)

    def b(lineage: dict[str, Any]) -> None:
        train = lineage["inputs"]["train"]
        train[0]["sha256"] = "0"
        train.append({"name": "week-2.csv", "bytes": 1, "sha256": "1"})
        lineage["inputs"]["test"][0]["name"] = "moved.csv"
        lineage["settings"]["model"]["hidden"] = 1256
        lineage["stages"]["train"] = lineage["stages"]["encode"] = ""
        lineage["metrics"]["test"].update(accuracy=0.93, reviews=25_000)
        lineage["metrics"]["validation"].update(accuracy=0.91, reviews=100)
        lineage["test_reviews"] = "other"

    found = shown(model_folder(trained, tmp_path / "a", a), model_folder(trained, tmp_path / "b", b))
    assert found[3:5] == [
        "  train: 1 added: week-2.csv; 1 changed: train.ft.txt.bz2",
        "  test: test.ft.txt.bz2 is now moved.csv",
    ]
    assert "  model.hidden  8 -> 1,256" in found
    assert "  other inputs or outputs: encode, train" in found
    assert (
        "  test accuracy  92.00% ± 0.17% -> 93.00% ± 0.16%: +1.00 points, more than chance explains "
        "(standard error 0.24 points)" in found
    )
    assert (
        "  validation accuracy  92.00% ± 2.71% -> 91.00% ± 2.86%: -1.00 points, which chance alone can explain "
        "(standard error 3.94 points)" in found
    )
    assert found[-1].startswith("The test reviews are not the same")
