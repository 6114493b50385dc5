import json
import sys
from pathlib import Path

import pytest

from sentiment_pipeline.training.history import History, step_of


def write(path: Path, start: int, steps: range, told: list[object] | None = None) -> None:
    with History(path, start, tensorboard=False, report=(told if told is not None else []).append) as history:
        for step in steps:
            history.write({"step": step, "loss": 1 / step})


def steps(path: Path) -> list[int]:
    return [step_of(line) for line in path.read_text().splitlines()]


def test_every_line_is_written_and_told(tmp_path: Path) -> None:
    told: list[object] = []
    write(tmp_path / "history.jsonl", 0, range(1, 4), told)
    assert [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()] == told
    assert told[0] == {"step": 1, "loss": 1.0}


def test_a_run_that_goes_on_drops_what_it_will_do_again(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    write(path, 0, range(1, 8))
    with path.open("a") as file:
        file.write('{"step": 3, "lo')  # a killed writer's half line
    write(path, 4, range(5, 7))
    assert steps(path) == [1, 2, 3, 4, 5, 6]


def test_a_run_from_the_start_begins_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    write(path, 0, range(1, 8))
    write(path, 0, range(1, 3))
    assert steps(path) == [1, 2]


def test_tensorboard_gets_the_same_figures_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with History(tmp_path / "history.jsonl", 0, tensorboard=True, report=lambda figures: None) as history:
        history.write({"step": 1, "loss": 1.0})
        assert history.board is None
    monkeypatch.undo()
    pytest.importorskip("torch.utils.tensorboard")
    with History(tmp_path / "history.jsonl", 0, tensorboard=True, report=lambda figures: None) as history:
        history.write({"step": 1, "loss": 1.0})
    assert list((tmp_path / "tensorboard").glob("events*"))
