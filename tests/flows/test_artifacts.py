"""What finished stages show, from the files of a real run."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows import artifacts


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The artifacts that were created, by key."""
    created: dict[str, Any] = {}
    for kind in ("table", "markdown", "link"):

        def create(content: Any, *, key: str, **others: Any) -> None:
            assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
            created[key] = content

        monkeypatch.setattr(artifacts, f"create_{kind}_artifact", create)
    return created


def test_rejected_lines_by_reason_with_examples(shown: Mapping[str, Any], tmp_path: Path) -> None:
    schema = pa.schema({"line": pa.int64(), "reason": pa.string(), "raw": pa.binary()})
    rows = [{"line": line, "reason": "no label", "raw": b"bad \xff" + bytes([48 + line]) * 500} for line in range(5)]
    (tmp_path / "rejected").mkdir()
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "rejected/train.parquet")
    pq.write_table(pa.Table.from_pylist([], schema), tmp_path / "rejected/test.parquet")
    artifacts.publish("ingest", tmp_path)
    (row,) = shown["rejected-lines"]
    assert (row["file"], row["reason"], row["lines"], row["first lines"]) == ("train", "no label", 5, "0, 1, 2")
    examples = row["examples"].split(" | ")
    assert [len(example) for example in examples] == [artifacts._CHARACTERS] * 3
    assert examples[0].startswith("bad �00")


def test_a_run_is_shown_in_tables_and_pictures(shown: Mapping[str, Any], trained: Path) -> None:
    for stage in ("ingest", "tokenize", "quality", "vocabulary", "encode", "train", "evaluate", "publish"):
        artifacts.publish(stage, trained)
    assert shown["rejected-lines"][0]["lines"] == 0
    assert {"reviews": "in the test set, exact", "train": 0, "test": None} in shown["data-quality"]
    assert [row["token"] for row in shown["vocabulary-head"][:2]] == ["_PAD", "_UNK"]
    assert shown["vocabulary-tail"][-1]["id"] > artifacts._ROWS
    train, validation, test = shown["review-lengths"]
    assert train["reviews"] + validation["reviews"] + test["reviews"] == 1500
    assert 0 < train["median"] <= train["95%"] <= train["99%"] <= train["longest"]
    figures = {(row["part"], row["figure"]): row["value"] for row in shown["metrics"]}
    assert 0 <= float(figures["test", "accuracy"]) <= 1
    for key, pictures in (("training-curves", 4), ("confusion-matrix", 1), ("review-lengths-picture", 1)):
        assert shown[key].count("(data:image/png;base64,iVBOR") == pictures
    assert shown["report"] == (trained / "report.html").as_uri()


def test_a_figure_that_does_not_exist_is_a_dash(
    shown: Mapping[str, Any], trained: Path, copy: Callable[[Path], Path]
) -> None:
    path = copy(trained) / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["validation"]["accuracy"] = None
    path.write_text(json.dumps(metrics))
    artifacts.publish("evaluate", path.parent)
    figures = {(row["part"], row["figure"]): row["value"] for row in shown["metrics"]}
    assert figures["validation", "accuracy"] == "–"
