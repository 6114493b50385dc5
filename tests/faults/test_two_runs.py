"""Two runs on one folder: the second is refused, with the name of the first; a dead run's lock does not count."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.folders import contents
from tests.processes import TIMEOUT, Running, run, start


def stop_once_locked() -> None:
    """Stop this process as soon as it holds the folder, until SIGCONT."""
    from sentiment_pipeline.engine import lock

    write_holder = lock._write_holder

    def write_and_stop(descriptor: int, path: Path) -> None:
        write_holder(descriptor, path)
        os.kill(os.getpid(), signal.SIGSTOP)

    lock._write_holder = write_and_stop


@contextmanager
def holding(data_dir: Path, options: list[object]) -> Iterator[Running]:
    """A run that holds the folder and is stopped."""
    with start("prepare", *options, "--data-dir", data_dir, fault=stop_once_locked) as first:
        wait_until(lambda: f'{{"process": {first.pid}, ' in lock_of(data_dir), TIMEOUT)
        yield first


def lock_of(data_dir: Path) -> str:
    path = data_dir / ".lock"
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("command", ["prepare", "run", "train"])
def test_the_second_run_is_refused_and_the_first_undisturbed(
    command: str, options: list[object], prepared: Path, tmp_path: Path
) -> None:
    with holding(tmp_path, options) as first:
        second = run(command, *options, "--data-dir", tmp_path)
        assert second.code == 1
        assert len(second.stderr.splitlines()) == 1
        assert f'{tmp_path} is in use by another run: {{"process": {first.pid}, ' in second.stderr
        first.send(signal.SIGCONT)
        assert first.wait().code == 0
        assert contents(tmp_path) == contents(prepared)


def test_a_lock_left_by_a_dead_run_does_not_block(options: list[object], prepared: Path, tmp_path: Path) -> None:
    with holding(tmp_path, options) as first:
        first.send(signal.SIGKILL)
        assert first.wait().code == -signal.SIGKILL
        assert json.loads(lock_of(tmp_path))["process"] == first.pid
        assert run("prepare", *options, "--data-dir", tmp_path).code == 0
        assert contents(tmp_path) == contents(prepared)


def test_reading_needs_no_lock(options: list[object], finished: Path, copy: Callable[[Path], Path]) -> None:
    folder = copy(finished)
    with holding(folder, options) as first:
        assert run("verify", "--data-dir", folder).code == 0
        assert run("status", "--data-dir", folder).code == 0
        first.send(signal.SIGCONT)
        assert first.wait().code == 0
