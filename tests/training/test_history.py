import json
import sys
from pathlib import Path

import pytest

from sentiment_pipeline.training.history import History


def write(path: Path, before: list[str], steps: range, told: list[object] | None = None) -> list[str]:
    report = (told if told is not None else []).append
    with History(path, before, steps.start - 1, tensorboard=False, report=report) as history:
        for step in steps:
            history.write({"step": step, "loss": 1 / step})
    return history.lines


def steps(path: Path) -> list[int]:
    return [json.loads(line)["step"] for line in path.read_text().splitlines()]


def test_every_line_is_written_and_told(tmp_path: Path) -> None:
    told: list[object] = []
    lines = write(tmp_path / "history.jsonl", [], range(1, 4), told)
    assert [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()] == told
    assert "".join(lines) == (tmp_path / "history.jsonl").read_text()
    assert told[0] == {"step": 1, "loss": 1.0}


def test_a_run_that_goes_on_begins_with_the_lines_it_is_given_whatever_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    lines = write(path, [], range(1, 5))
    write(path, lines, range(5, 9))
    path.write_text(path.read_text().replace("0.5", "0.7") + '{"step": 3, "lo')  # damage, and half a line
    write(path, lines, range(5, 7))
    assert steps(path) == [1, 2, 3, 4, 5, 6]
    assert json.loads(path.read_text().splitlines()[1]) == {"step": 2, "loss": 0.5}


def test_tensorboard_gets_the_same_figures_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with History(tmp_path / "history.jsonl", [], 0, tensorboard=True, report=lambda figures: None) as history:
        history.write({"step": 1, "loss": 1.0})
        assert history.board is None
    monkeypatch.undo()
    pytest.importorskip("torch.utils.tensorboard")
    with History(tmp_path / "history.jsonl", [], 0, tensorboard=True, report=lambda figures: None) as history:
        history.write({"step": 1, "loss": 1.0})
    assert list((tmp_path / "tensorboard").glob("events*"))
