"""The leaderboard and the lineage of a folder, from the files of real runs."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows import history
from flows.history import history_shown, leaderboard, side_by_side
from flows.lineage_drawing import lineage_drawing
from sentiment_pipeline.comparison import read_folder
from sentiment_pipeline.stages.run_history import read_runs
from tests.comparison.folders import model_folder
from tests.conftest import MakeSettings
from tests.folders import run_here
from tests.stages.test_leaderboard import recorded_run

LINK = "http://127.0.0.1:4200/runs/flow-run/1"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The artifacts that were created, by key."""
    created: dict[str, str] = {}

    def create(content: str, *, key: str, **others: Any) -> None:
        assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        created[key] = content

    monkeypatch.setattr(history, "create_markdown_artifact", create)
    monkeypatch.setattr(history, "get_run_logger", lambda: logging.getLogger("run"))
    monkeypatch.setattr(history.flow_run, "ui_url", LINK, raising=False)
    return created


def test_a_run_links_to_its_page_and_shows_both(
    shown: dict[str, str], trained: Path, copy: Callable[[Path], Path], make_settings: MakeSettings
) -> None:
    data_dir = copy(trained)
    with history_shown(data_dir):
        run_here(make_settings(data_dir, "training.seed=5"))
    before, run = read_runs(data_dir)
    assert (before["link"], run["link"]) == ("", LINK)
    (board, lineage) = (shown[f"{name}-{history._key(data_dir)}"] for name in ("leaderboard", "lineage"))
    assert board.count("\n| ") == 3
    assert f"[{run['finished'][:16].replace('T', ' ')}]({LINK})" in board
    assert "quick, training.seed=5" in board
    assert lineage.startswith("```mermaid\nflowchart LR\n")
    assert "training.seed=5" in lineage
    with history_shown(data_dir):
        pass
    assert read_runs(data_dir) == [before, run]


def test_a_run_does_not_fail_for_its_history(
    shown: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with history_shown(tmp_path):
        pass
    assert (shown, caplog.records) == ({}, [])
    (tmp_path / "runs.json").write_text("{")
    with history_shown(tmp_path):
        pass
    assert [record.getMessage().count("runs.json is damaged") for record in caplog.records] == [1, 1]


def test_folders_of_the_same_name_have_keys_of_their_own() -> None:
    keys = {history._key(Path(path)) for path in ("/a/Data 1", "/b/Data 1", "/")}
    assert len(keys) == 3
    assert sum(key.startswith("data-1-") for key in keys) == 2


def test_the_leaderboard_says_once_what_all_changed() -> None:
    found = leaderboard([recorded_run(0.9, model_hidden=8), recorded_run(0.95, model_hidden=8, input_label="a|b")])
    header, line, first, second, _, common = found.splitlines()
    assert line == "| " + " | ".join(["---"] * 8) + " |"
    assert header.startswith("| test accuracy | loss |")
    assert first.startswith("| 95.00% ± 0.25% |")
    assert first.endswith("| quick, input.label=a\\|b |")
    assert second.endswith("| quick |")
    assert common == "All with model.hidden=8."


def test_the_last_five_runs_side_by_side() -> None:
    table = side_by_side([recorded_run(0.9 + number / 100) for number in range(6)]).splitlines()
    assert table[2].count("±") == 5
    assert table[2].startswith("| test accuracy | 95.00% ± 0.25% | 94.00% ± 0.25% |")
    assert "90.00%" not in table[2]
    assert side_by_side([]) == "No run was evaluated in this folder yet."


def test_the_drawing_leads_from_the_files_to_the_model(trained: Path, tmp_path: Path) -> None:
    lineage = json.loads((trained / "lineage.json").read_text())
    text = lineage_drawing(read_folder(trained))
    for source in ("train", "test"):
        sha256 = lineage["inputs"][source][0]["sha256"]
        assert f'{source}["{source}<br/>{source}.ft.txt.bz2 {sha256[:8]}"] --> ingest_stage' in text
    assert f'train_stage("train<br/>{lineage["stages"]["train"][:8]}")' in text
    for arrow in ("ingest_stage --> tokenize_stage", "encode_stage --> train_stage", "train_stage --> model"):
        assert arrow in text
    assert f'model["model<br/>test accuracy {100 * lineage["metrics"]["test"]["accuracy"]:.2f}% ± ' in text
    assert f"torch {lineage['versions']['torch']}" in text

    def many(lineage: dict[str, Any]) -> None:
        lineage["inputs"]["train"] = [{"name": f'"{number}<', "sha256": "0" * 64} for number in range(5)]

    text = lineage_drawing(read_folder(model_folder(trained, tmp_path / "many", many)))
    assert 'train["train<br/>#quot;0#lt; 00000000<br/>' in text
    assert "<br/>and 2 files more" in text
