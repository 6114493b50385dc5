from pathlib import Path

import pytest

from sentiment_pipeline.engine.status import status_lines
from sentiment_pipeline.stages import status
from sentiment_pipeline.stages.pipeline import STAGES
from tests.stages.conftest import Settings, run_in


def test_what_is_finished_is_a_line_a_stage(finished: Path, made: Settings) -> None:
    found = list(status_lines(run_in(made(finished))))
    assert [line.split()[0] for line in found] == [stage.name for stage in STAGES]
    assert all(line.split()[1] == "finished" for line in found)


def test_what_is_stale_says_which_setting_made_it_so(finished: Path, made: Settings) -> None:
    found = list(status_lines(run_in(made(finished, "training.epochs=2"))))
    at = [line.split()[0] for line in found].index("train")
    assert found[at].split()[1] == "stale"
    assert found[at + 1] == "  train: stale: training.epochs: 1 -> 2"
    assert [line.split()[:2] for line in found[at + 2 :]] == [["evaluate", "waits"], ["publish", "waits"]]


def test_a_long_list_is_cut(finished: Path, made: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "SHOWN", 1)
    for path in (finished / "ingest" / "train").glob("part-*"):
        path.unlink()
    found = list(status_lines(run_in(made(finished))))
    parts = len(list((finished / "manifests" / "ingest" / "train").glob("part-*")))
    assert found[0].startswith("ingest      damaged")
    assert found[1].endswith("missing")
    assert found[2] == f"  and {parts - 1} more"


def test_without_input_files_it_says_so(finished: Path, made: Settings) -> None:
    (finished / "manifests").rename(finished / "elsewhere")
    found = list(status_lines(run_in(made(finished))))
    assert found[0].startswith("ingest      unfinished")
    assert found[-1] == "publish     waits       until ingest is finished"
