"""What is written to a terminal, and what is not written anywhere else: progress and colours."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT
from tests.processes import run


def on_a_terminal(*arguments: object) -> str:
    """What the command writes to a terminal of 100 columns, as its only output."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sentiment_pipeline", *map(str, arguments)],
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
    )
    os.close(theirs)
    written = b""
    with suppress(OSError):  # the end of a terminal whose processes have ended
        while some := os.read(ours, 65_536):
            written += some
    os.close(ours)
    assert process.wait() == 0, written
    return written.decode()


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" in on_a_terminal("--help")
    ended = run("--help")
    assert "Usage" in ended.stdout
    assert "\x1b" not in ended.stdout + ended.stderr
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in on_a_terminal("settings", "vocabulary")


def test_predict_shows_reviews_and_rate_on_a_terminal(trained: Path, tmp_path: Path) -> None:
    reviews, answers = tmp_path / "reviews.txt", tmp_path / "answers.parquet"
    reviews.write_text("not bad at all\n" * 5_000)
    shown = on_a_terminal("predict", "--model", trained / "model", reviews, "--output", answers)
    assert "predict" in shown
    assert "reviews 5,000" in shown.replace("\x1b[", "")
    assert pq.read_metadata(answers).num_rows == 5_000
    silent = run("predict", "--model", trained / "model", reviews, "--output", answers)
    assert (silent.code, silent.stdout + silent.stderr) == (0, "")
