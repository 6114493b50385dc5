"""Two runs on one folder: the second is refused by the first one's name; a dead one's lock is no lock."""

import json
import signal
import time
from pathlib import Path

import pytest

from tests.faults.processes import contents, run, start


def held(data_dir: Path) -> None:
    """Wait until a run holds the folder."""
    while not (data_dir / ".lock").exists() or not (data_dir / ".lock").read_text().endswith("}"):
        time.sleep(0.01)


@pytest.mark.parametrize("command", ["prepare", "run", "train"])
def test_the_second_run_is_refused_and_the_first_undisturbed(
    command: str, options: list[object], prepared: Path, tmp_path: Path
) -> None:
    with start("prepare", *options, "--data-dir", tmp_path) as first:
        held(tmp_path)
        first.send(signal.SIGSTOP)
        second = run(command, *options, "--data-dir", tmp_path)
        assert second.code == 1
        assert len(second.stderr.splitlines()) == 1
        assert f'{tmp_path} is in use by another run: {{"process": {first.process.pid}, ' in second.stderr
        first.send(signal.SIGCONT)
        assert first.wait().code == 0
        assert contents(tmp_path) == contents(prepared)


def test_a_lock_left_by_a_dead_run_does_not_block(options: list[object], prepared: Path, tmp_path: Path) -> None:
    with start("prepare", *options, "--data-dir", tmp_path) as first:
        held(tmp_path)
        first.send(signal.SIGKILL)
        assert first.wait().code == -signal.SIGKILL
        assert json.loads((tmp_path / ".lock").read_text())["process"] == first.process.pid
        assert run("prepare", *options, "--data-dir", tmp_path).code == 0
        assert contents(tmp_path) == contents(prepared)


def test_reading_needs_no_lock(options: list[object], finished: Path, copy) -> None:
    folder = copy(finished)
    with start("prepare", *options, "--data-dir", folder) as first:
        held(folder)
        first.send(signal.SIGSTOP)
        assert run("verify", "--data-dir", folder).code == 0
        assert run("status", "--data-dir", folder).code == 0
        first.send(signal.SIGCONT)
        assert first.wait().code == 0
