from pathlib import Path

import pytest

from sentiment_pipeline.engine import status
from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.engine.status import status_lines
from tests.engine.toy import STAGES, WRITE, Words, run_toy


def lines(data_dir: Path, *words: str, separator: str = " ") -> list[str]:
    return list(status_lines(Run(data_dir, Words(words or Words.words, separator)), STAGES))


def test_a_finished_stage_is_one_line(tmp_path: Path) -> None:
    run_toy(tmp_path)
    assert lines(tmp_path) == ["write       finished    2 finished", "join        finished    1 finished"]


def test_a_stale_step_names_the_setting_with_both_values(tmp_path: Path) -> None:
    run_toy(tmp_path)
    assert lines(tmp_path, separator="-")[1:] == [
        "join        stale       1 stale",
        "  join: stale: join.separator:   -> -",
    ]


def test_the_stages_after_an_unfinished_one_wait(tmp_path: Path) -> None:
    run_toy(tmp_path, [WRITE], words=("one",))
    assert lines(tmp_path, "one", "two") == [
        "write       unfinished  1 finished, 1 unfinished",
        "  write/two: unfinished: not done yet",
        "join        waits       until write is finished",
    ]


def test_damage_comes_before_all_else_and_a_long_list_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_MAX_LISTED", 1)
    run_toy(tmp_path, words=("one", "two", "three"))
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    assert lines(tmp_path, "one", "two", "three", "four")[:3] == [
        "write       damaged     3 damaged, 1 unfinished",
        "  write/one: damaged: out/one.txt: missing",
        "  and 3 more",
    ]


def test_a_stage_that_cannot_be_planned_says_why(tmp_path: Path) -> None:
    run_toy(tmp_path)
    (tmp_path / "manifests" / "write" / "one.json").write_text("{")
    assert lines(tmp_path)[0].startswith("write       damaged")
    (found,) = status_lines(Run(tmp_path, Words()), STAGES[1:])
    assert found.startswith(f"join        unfinished  {tmp_path}/manifests/write/one.json is damaged")
