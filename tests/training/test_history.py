import json
import sys
from pathlib import Path

import pytest

from sentiment_pipeline.training.history import History


def write(path: Path, before: list[str], steps: range, figures: list[object] | None = None) -> list[str]:
    on_figures = (figures if figures is not None else []).append
    with History(path, before, steps.start - 1, tensorboard=False, on_figures=on_figures) as history:
        for step in steps:
            history.write({"step": step, "loss": 1 / step})
    return history.lines


def steps(path: Path) -> list[int]:
    return [json.loads(line)["step"] for line in path.read_text().splitlines()]


def test_every_line_is_written_and_handed_on(tmp_path: Path) -> None:
    figures: list[object] = []
    lines = write(tmp_path / "history.jsonl", [], range(1, 4), figures)
    assert [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()] == figures
    assert "".join(lines) == (tmp_path / "history.jsonl").read_text()
    assert figures[0] == {"step": 1, "loss": 1.0}


def test_a_resumed_run_begins_with_the_given_lines_whatever_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    lines = write(path, [], range(1, 5))
    write(path, lines, range(5, 9))
    path.write_text(path.read_text().replace("0.5", "0.7") + '{"step": 3, "lo')  # damage, and half a line
    write(path, lines, range(5, 7))
    assert steps(path) == [1, 2, 3, 4, 5, 6]
    assert json.loads(path.read_text().splitlines()[1]) == {"step": 2, "loss": 0.5}


def test_tensorboard_gets_the_same_figures_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with History(tmp_path / "history.jsonl", [], 0, tensorboard=True, on_figures=lambda figures: None) as history:
        history.write({"step": 1, "loss": 1.0})
        assert history._board is None
    monkeypatch.undo()
    pytest.importorskip("torch.utils.tensorboard")
    with History(tmp_path / "history.jsonl", [], 0, tensorboard=True, on_figures=lambda figures: None) as history:
        history.write({"step": 1, "loss": 1.0})
    assert list((tmp_path / "tensorboard").glob("events*"))
