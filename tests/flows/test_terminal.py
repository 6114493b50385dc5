"""`python -m flows.pipeline`, which `make run` calls."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient

from tests.conftest import ROOT
from tests.flows.conftest import Ui


def command(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return subprocess.run(
        [sys.executable, "-m", "flows.pipeline", *map(str, arguments)],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        env={**own, **environment},
    )


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("vocabulary.min_count=0", "vocabulary.min_count"),
        ("modle.hidden=8", "modle is not a setting"),
        ("execution.runner=dask", "execution.dask_address is empty"),
    ],
)
def test_a_wrong_setting_is_one_line_and_needs_no_server(option: str, said: str, tmp_path: Path) -> None:
    result = command(
        "--data-dir", tmp_path / "data", "--preset", "quick", "--set", option, PREFECT_HOME=str(tmp_path / "home")
    )
    assert result.returncode == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_it_goes_on_where_the_command_line_stopped(
    ui: Ui, client: SyncPrefectClient, trained: Path, copy: Callable[[Path], Path], sample: Path, tiny: Path
) -> None:
    before, folder = len(client.read_flow_runs()), copy(trained)
    (folder / "metrics.json").unlink()
    result = command(
        "--train",
        sample / "train.ft.txt.bz2",
        "--test",
        sample / "test.ft.txt.bz2",
        "--data-dir",
        folder,
        "--config",
        tiny,
        PREFECT_HOME=str(ui.home),
    )
    assert result.returncode == 0, result.stderr
    assert len(client.read_flow_runs()) == before + 1, "it is not shown by the UI that runs"
    assert "train: nothing to do, 1 step finished before" in result.stderr
    assert "evaluate: 1 step done" in result.stderr
    first, model, report = result.stdout.splitlines()
    assert first.startswith("test: accuracy ")
    assert (model, report) == (f"model: {folder / 'model'}", f"report: {folder / 'report.html'}")


def test_an_expected_failure_is_one_line(ui: Ui, tmp_path: Path, tiny: Path) -> None:
    missing = tmp_path / "none.ft.txt.bz2"
    result = command(
        "--train",
        missing,
        "--test",
        missing,
        "--data-dir",
        tmp_path / "data",
        "--config",
        tiny,
        PREFECT_HOME=str(ui.home),
        PREFECT_API_URL=ui.api,
    )
    assert result.returncode == 1
    assert str(missing) in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
