import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.predict import Word, check_output, write_file, write_json, writing
from sentiment_pipeline.predict.predictor import Scored


def scored(*probabilities: float, **columns: Any) -> Scored:
    kept = pa.record_batch(columns) if columns else None
    return Scored(np.array(probabilities, np.float32), kept)


BLOCKS = [scored(0.98, 0.5), scored(), scored(0.0123456789)]


def test_json_lines_are_as_the_interface_says() -> None:
    file = io.StringIO()
    write_json(BLOCKS, file)
    assert file.getvalue().splitlines() == [
        '{"label": "positive", "probability": 0.98}',
        '{"label": "negative", "probability": 0.5}',
        '{"label": "negative", "probability": 0.012346}',
    ]


def test_each_block_is_handed_on_before_the_next_is_made() -> None:
    receiving, sending = os.pipe()

    def blocks() -> Iterator[Scored]:
        yield BLOCKS[0]
        assert len(os.read(receiving, 1000).splitlines()) == 2
        yield BLOCKS[2]

    with os.fdopen(sending, "w") as file:
        write_json(blocks(), file)
    assert json.loads(os.read(receiving, 1000))["label"] == "negative"
    os.close(receiving)


def test_a_reader_that_goes_away_is_no_failure() -> None:
    receiving, sending = os.pipe()
    os.close(receiving)
    with os.fdopen(sending, "w") as file:
        write_json(iter([BLOCKS[0]] * 1000), file)


def test_parquet_has_a_row_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_ROW_GROUP", 2)
    path = tmp_path / "new" / "scores.parquet"
    assert write_file(BLOCKS, path) == 3
    table = pq.read_table(path)
    assert table.schema.equals(pa.schema([("line", pa.int64()), ("label", pa.string()), ("probability", pa.float32())]))
    assert table["line"].to_pylist() == [1, 2, 3]
    assert table["label"].to_pylist() == ["positive", "negative", "negative"]
    assert np.array_equal(table["probability"].to_numpy(), np.concatenate([block.probabilities for block in BLOCKS]))
    assert pq.ParquetFile(path).num_row_groups == 2


def test_parquet_of_nothing_is_an_empty_table(tmp_path: Path) -> None:
    assert write_file([], tmp_path / "none.parquet") == 0
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    def failing() -> Iterator[Scored]:
        yield BLOCKS[0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_file(failing(), tmp_path / "scores.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_only_predictions_are_replaced(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"answers{suffix}"
    check_output(path)
    for kept in ({}, {"id": [7], "label": ["x"]}):
        write_file([scored(0.5, **kept)], path)
        check_output(path)
    for other in (b"", b"a review\n", b"text,label\na,1\n", b'{"text": "a", "label": 1}\n', b"[1, 2]\n", b"7\n"):
        path.write_bytes(other)
        with pytest.raises(PipelineError, match="exists and holds no predictions"):
            check_output(path)
    pq.write_table(pa.table({"text": ["a review"]}), path)
    with pytest.raises(PipelineError, match="exists and holds no predictions"):
        check_output(path)


def test_the_file_that_is_scored_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    write_file([scored(0.5)], path)
    with pytest.raises(PipelineError, match="choose another name"):
        check_output(path, path)


@pytest.mark.parametrize("name", ["answers.txt", "answers", "answers.json", "answers.PARQUET", "null"])
def test_the_suffix_names_the_format(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"ends in \.parquet, \.jsonl, \.csv"):
        check_output(tmp_path / name)


KEPT = [scored(0.98, id=[7], label=["pos"]), scored(0.25, id=[9], label=[None])]


def test_columns_of_the_table_stand_beside_the_answers(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": 7, "label": "pos", "predicted_label": "positive", "probability": 0.98},
        {"id": 9, "label": None, "predicted_label": "negative", "probability": 0.25},
    ]
    write_file(KEPT, tmp_path / "answers.jsonl")
    assert [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()] == rows
    write_file(KEPT, tmp_path / "answers.parquet")
    found = pq.read_table(tmp_path / "answers.parquet")
    assert found.column_names == ["line", "id", "label", "predicted_label", "probability"]
    assert found.drop_columns(["line", "probability"]).to_pylist() == [
        {name: value for name, value in row.items() if name != "probability"} for row in rows
    ]
    write_file(KEPT, tmp_path / "answers.csv")
    assert (tmp_path / "answers.csv").read_text().splitlines() == [
        '"line","id","label","predicted_label","probability"',
        '1,7,"pos","positive",0.98',
        '2,9,,"negative",0.25',
    ]


def test_a_column_that_begins_with_missing_values_is_text(tmp_path: Path) -> None:
    assert write_file([scored(0.5, id=[None]), scored(0.5, id=["a"])], tmp_path / "answers.parquet") == 2
    assert pq.read_table(tmp_path / "answers.parquet")["id"].to_pylist() == [None, "a"]
    with pytest.raises(PipelineError, match="values of several types"):
        write_file([scored(0.5, id=[1]), scored(0.5, id=["a"])], tmp_path / "answers.parquet")


def test_words_that_explain_an_answer_are_written(tmp_path: Path) -> None:
    explained = [Scored(np.array([0.98], np.float32), None, [[Word("great", 2.123456, 4, 9)]])]
    word = {"word": "great", "effect": 2.1235, "start": 4, "end": 9}
    for suffix in (".parquet", ".jsonl", ".csv"):
        write_file(explained, tmp_path / f"answers{suffix}")
        check_output(tmp_path / f"answers{suffix}")
    assert json.loads((tmp_path / "answers.jsonl").read_text())["words"] == [word]
    (row,) = pq.read_table(tmp_path / "answers.parquet")["words"].to_pylist()
    assert row == [{**word, "effect": pytest.approx(2.123456)}]
    with (tmp_path / "answers.csv").open(newline="") as file:
        (record,) = csv.DictReader(file)
    assert json.loads(record["words"])[0]["word"] == "great"
