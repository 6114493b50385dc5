"""`make ui` as a command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deployments import ui as command
from deployments.registration import PROJECT
from sentiment_pipeline.openmp import OPENMP_WAIT
from tests.conftest import ROOT
from tests.flows.running_ui import Ui, environment, without_prefect


def test_a_taken_port_is_one_clear_line(ui: Ui, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "deployments.ui", "--port", str(ui.port)],
        cwd=ROOT,
        text=True,
        check=False,
        capture_output=True,
        env=without_prefect(PREFECT_HOME=str(tmp_path)),
    )
    assert result.returncode == 1
    assert result.stderr == (
        f"sentiment-pipeline: port {ui.port} is in use; end what uses it, or choose another: "
        f"make ui PORT={ui.port + 1}\n"
    )


def test_what_the_user_has_set_for_prefect_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {"PREFECT_HOME": str(tmp_path / "home"), "PREFECT_SERVER_ANALYTICS_ENABLED": "true"}
    monkeypatch.chdir(tmp_path)
    with environment(**mine):
        os.environ.pop("DO_NOT_TRACK", None)
        command._set_environment()
        assert os.environ.items() >= {**mine, "DO_NOT_TRACK": "1"}.items()
        assert os.environ["PREFECT_PROFILES_PATH"] == str(tmp_path / "home/profiles.toml")
        assert set(OPENMP_WAIT) <= set(os.environ)
    assert Path.cwd() == PROJECT
    assert (tmp_path / "home").is_dir()
