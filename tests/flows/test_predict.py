"""Batch prediction as a flow, by its deployment and called: only what is new or has changed is scored."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun

from flows.predict import predict
from tests.flows.user import Prefect, states


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "first.txt", tmp_path / "second.ft.txt"]
    paths[0].write_text("not bad at all\n\nthe worst book I have read\n")
    paths[1].write_text("__label__2 great\n")
    return paths


def test_each_file_becomes_a_table(prefect: Prefect, trained: Path, files: list[Path], tmp_path: Path) -> None:
    def scored(run: FlowRun) -> set[str]:
        """The names of the files that a run scored."""
        state = prefect.wait(run)
        assert state.is_completed(), state.message
        assert state.message == f"scored 4 reviews into {tmp_path / 'out'}"
        return {name for name in states(prefect.tasks(run, last="predict")) if "/" in name}

    def called() -> FlowRun:
        state: Any = predict(files, tmp_path / "out", trained / "model", return_state=True)
        return prefect.client.read_flow_run(state.state_details.flow_run_id)

    names = [str(path) for path in files]
    run = prefect.start("predict", files=names, output=str(tmp_path / "out"), model=str(trained / "model"))
    assert scored(run) == {"predict/first.txt", "predict/second.ft.txt"}
    table = pq.read_table(tmp_path / "out/first.txt.parquet")
    assert table.column_names == ["line", "label", "probability"]
    assert table["line"].to_pylist() == [1, 2, 3]

    assert scored(called()) == set()
    files[1].write_text("__label__1 dreadful\n")
    assert scored(called()) == {"predict/second.ft.txt"}
    alone: Any = predict(files[1:], tmp_path / "out", trained / "model", return_state=True)
    assert alone.message == f"scored 1 review into {tmp_path / 'out'}", "the other file is of an earlier run"


def test_a_missing_file_and_equal_names_are_one_clear_line(
    client: SyncPrefectClient, trained: Path, files: list[Path], tmp_path: Path
) -> None:
    state: Any = predict([tmp_path / "none"], tmp_path / "out", trained / "model", return_state=True)
    assert state.message == f"{tmp_path / 'none'} is missing; give the folder of a published model and existing files"
    state = predict([files[0], files[0]], tmp_path / "out", trained / "model", return_state=True)
    assert "two files would both become first.txt.parquet" in state.message
