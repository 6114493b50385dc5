import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.predict import check_output, write_json, write_parquet, writing

BLOCKS = [np.array([0.98, 0.5], np.float32), np.array([], np.float32), np.array([0.0123456789], np.float32)]


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

    def blocks() -> Iterator[np.ndarray]:
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
    assert write_parquet(BLOCKS, path) == 3
    table = pq.read_table(path)
    assert table.schema.equals(pa.schema([("line", pa.int64()), ("label", pa.string()), ("probability", pa.float32())]))
    assert table["line"].to_pylist() == [1, 2, 3]
    assert table["label"].to_pylist() == ["positive", "negative", "negative"]
    assert np.array_equal(table["probability"].to_numpy(), np.concatenate(BLOCKS))
    assert pq.ParquetFile(path).num_row_groups == 2


def test_parquet_of_nothing_is_an_empty_table(tmp_path: Path) -> None:
    assert write_parquet([], tmp_path / "none.parquet") == 0
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield BLOCKS[0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_parquet(failing(), tmp_path / "scores.parquet")
    assert list(tmp_path.iterdir()) == []


def test_only_predictions_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "answers.parquet"
    check_output(path)
    write_parquet([np.array([0.5], np.float32)], path)
    check_output(path)
    pq.write_table(pa.table({"text": ["a review"]}), path)
    with pytest.raises(PipelineError, match="exists and holds no predictions"):
        check_output(path)
    path.write_bytes(b"")
    with pytest.raises(PipelineError, match="exists and holds no predictions"):
        check_output(path)


@pytest.mark.parametrize("name", ["answers.csv", "answers", "answers.jsonl", "answers.PARQUET", "null"])
def test_predictions_are_parquet_and_named_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"ends in \.parquet"):
        check_output(tmp_path / name)
