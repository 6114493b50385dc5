import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import sqrt
from pathlib import Path

import pytest

from sentiment_pipeline.engine import verify
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.stages.pipeline import STAGES
from sentiment_pipeline.stages.run_history import best_first, link_runs, read_runs
from tests.conftest import MakeSettings
from tests.folders import run_here

CHANGED = {"training.epochs": 1, "training.batch_size": 64, "model.hidden": 8, "ingest.shard_bytes": 65536}


def test_each_evaluated_run_is_recorded_once(finished: Path, make_settings: MakeSettings) -> None:
    first = read_runs(finished)
    assert len(first) == 1
    run_here(make_settings(finished, "vocabulary.min_count=3"))
    metrics = json.loads((finished / "metrics.json").read_text())
    kept, run = read_runs(finished)
    assert kept == first[0]
    accuracy = metrics["test"]["accuracy"]
    assert run["test"] == {
        "reviews": 150,
        "accuracy": accuracy,
        "standard_error": pytest.approx(sqrt(accuracy * (1 - accuracy) / 150)),
        "loss": metrics["test"]["loss"],
    }
    assert run["validation"]["accuracy"] == metrics["validation"]["accuracy"]
    assert run["preset"] == "quick"
    assert run["changed"].items() >= {**CHANGED, "vocabulary.min_count": 3}.items()
    assert "execution.workers" not in run["changed"]
    assert run["training_reviews"] == metrics["train"]["trained_on"]["reviews"]
    assert run["seconds"] > metrics["prepare"]["seconds"] + metrics["train"]["seconds"]
    assert datetime.now(UTC) - datetime.fromisoformat(run["finished"]) < timedelta(minutes=10)
    assert run_here(make_settings(finished, "vocabulary.min_count=3")) == set()
    assert read_runs(finished) == [kept, run]


def test_the_same_run_evaluated_again_replaces_its_row(finished: Path, make_settings: MakeSettings) -> None:
    (before,) = read_runs(finished)
    (finished / "metrics.json").unlink()
    assert "evaluate" in run_here(make_settings(finished))
    (after,) = read_runs(finished)
    assert (after["fingerprint"], after["test"]) == (before["fingerprint"], before["test"])


def test_the_best_come_first_and_those_on_other_reviews_last(
    finished: Path, make_settings: MakeSettings, tmp_path: Path
) -> None:
    for seed in (5, 6):
        run_here(make_settings(finished, f"training.seed={seed}"))
    runs = read_runs(finished)
    assert {run["changed"].get("training.seed", 0) for run in runs} == {0, 5, 6}
    accuracies = [run["test"]["accuracy"] or 0 for run in best_first(runs)]
    assert accuracies == sorted(accuracies, reverse=True)
    write_sample(tmp_path / "other", 1000, seed=2)
    run_here(replace(make_settings(finished), test=(tmp_path / "other/test.ft.txt.bz2",)))
    assert best_first(read_runs(finished))[0]["test"]["reviews"] == 100
    assert best_first([]) == []


@pytest.mark.parametrize("content", ["", "[]", '{"runs": [{}]}', "{}"])
def test_a_damaged_history_is_named(content: str, tmp_path: Path) -> None:
    assert read_runs(tmp_path) == []
    (tmp_path / "runs.json").write_text(content)
    with pytest.raises(PipelineError, match=r"runs\.json is damaged .*; move it away"):
        read_runs(tmp_path)


def test_a_flipped_figure_is_found_before_any_work(finished: Path, make_settings: MakeSettings) -> None:
    path = finished / "runs.json"
    whole = path.read_text()
    path.write_text(whole.replace('"reviews": 150', '"reviews": 151', 1))
    assert [line.partition(" is damaged")[0] for line in verify.damage(finished, STAGES)] == [str(path)]
    with pytest.raises(PipelineError, match="its checksum does not match"):
        run_here(make_settings(finished, "vocabulary.min_count=3"))
    assert (finished / "vocabulary.parquet").stat().st_mtime_ns < path.stat().st_mtime_ns
    path.write_text(whole)
    assert verify.damage(finished, STAGES) == []


def test_only_the_runs_since_then_are_linked(finished: Path, make_settings: MakeSettings) -> None:
    known = read_runs(finished)
    link_runs(finished, "http://127.0.0.1/runs/1", known)
    assert read_runs(finished) == known
    run_here(make_settings(finished, "training.seed=5"))
    link_runs(finished, "http://127.0.0.1/runs/2", known)
    assert [run["link"] for run in read_runs(finished)] == ["", "http://127.0.0.1/runs/2"]
