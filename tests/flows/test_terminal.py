"""`python -m flows.terminal`, which `make run` calls."""

import subprocess
import sys
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient

from flows.terminal import app
from sentiment_pipeline.console import exit_in_one_line
from tests.conftest import ROOT
from tests.flows.running_ui import Ui, without_prefect


def command(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "flows.terminal", *map(str, arguments)],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        env=without_prefect(**environment),
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("vocabulary.min_count=0", "vocabulary.min_count"),
        ("modle.hidden=8", "modle is not a setting"),
        ("execution.runner=dask", "execution.dask_address is empty"),
    ],
)
def test_a_wrong_setting_is_one_line_and_no_run(
    option: str,
    message: str,
    tmp_path: Path,
    client: SyncPrefectClient,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = len(client.read_flow_runs())
    options = ["--data-dir", str(tmp_path / "data"), "--preset", "quick", "--set", option]
    monkeypatch.setattr(sys, "argv", ["flows.terminal", *options])
    with pytest.raises(SystemExit) as ended:
        exit_in_one_line(app)
    assert ended.value.code == 2
    stderr = capfd.readouterr().err
    assert message in stderr
    assert stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()
    assert len(client.read_flow_runs()) == before


def test_it_continues_where_the_command_line_stopped(
    ui: Ui, client: SyncPrefectClient, finished: Path, sample: Path, tiny: Path
) -> None:
    before = len(client.read_flow_runs())
    (finished / "metrics.json").unlink()
    files = ("--train", sample / "train.ft.txt.bz2", "--test", sample / "test.ft.txt.bz2")
    result = command(*files, "--data-dir", finished, "--config", tiny, PREFECT_HOME=str(ui.home))
    assert result.returncode == 0, result.stderr
    assert len(client.read_flow_runs()) == before + 1, "it is not shown by the UI that runs"
    assert "train: nothing to do, 1 step finished before" in result.stderr
    assert "evaluate: 1 step done" in result.stderr
    first, model, report = result.stdout.splitlines()
    assert first.startswith("test: accuracy ")
    assert (model, report) == (f"model: {finished / 'model'}", f"report: {finished / 'report.html'}")


def test_an_expected_failure_is_one_line(ui: Ui, tmp_path: Path, tiny: Path) -> None:
    missing = tmp_path / "none.ft.txt.bz2"
    options = ("--train", missing, "--test", missing, "--data-dir", tmp_path / "data", "--config", tiny)
    result = command(*options, PREFECT_HOME=str(ui.home), PREFECT_API_URL=ui.api)
    assert result.returncode == 1
    assert str(missing) in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
