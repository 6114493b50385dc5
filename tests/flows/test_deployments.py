"""Each deployment that no other test starts, run by the worker, and the schedule."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
import pytest
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import IntervalSchedule

from sentiment_pipeline.sample import write_sample
from tests.flows.running_ui import patiently
from tests.flows.user import Prefect, states


def test_predict_scores_files(prefect: Prefect, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "reviews.txt").write_text("not bad at all\nthe worst book I have read\n")
    run = prefect.start(
        "predict", files=[str(tmp_path / "reviews.txt")], output=str(tmp_path / "out"), model=str(trained / "model")
    )
    assert prefect.wait(run).name == "Completed"
    assert pq.read_table(tmp_path / "out/reviews.txt.parquet")["line"].to_pylist() == [1, 2]


def test_search_finds_settings(prefect: Prefect, settings: dict[str, Any], finished: Path) -> None:
    run = prefect.start("search", settings=settings, trials=1, vary=["model.word_dropout"])
    assert prefect.wait(run).name == "Completed"
    assert states(prefect.tasks(run, last="trial-000"))["trial-000"] == "Completed"
    assert "word_dropout" in tomllib.loads((finished / "search/best.toml").read_text())["model"]


def test_evaluate_does_what_is_missing_before_it_too(prefect: Prefect, settings: dict[str, Any]) -> None:
    run = prefect.start("evaluate", settings=settings)
    assert prefect.wait(run).name == "Completed"
    assert states(prefect.tasks(run, last="publish"))["publish"] == "Completed"
    assert Path(settings["data_dir"], "model/model.safetensors").exists()


class Schedule:
    """The schedule of the pipeline."""

    def __init__(self, prefect: Prefect) -> None:
        self.prefect, self.client = prefect, prefect.client
        self.deployment = self.client.read_deployment_by_name("pipeline/local")
        self.schedule = self.client.read_deployment_schedules(self.deployment.id)[0]

    def set(self, active: bool, schedule: Any) -> None:
        self.client.update_deployment_schedule(self.deployment.id, self.schedule.id, active=active, schedule=schedule)

    def set_parameters(self, parameters: dict[str, Any]) -> None:
        self.client.update_deployment(self.deployment.id, DeploymentUpdate(parameters=parameters))

    def runs(self) -> dict[UUID, FlowRun]:
        """The runs that the schedule has started."""
        wanted = DeploymentFilter(id=DeploymentFilterId(any_=[self.deployment.id]))
        found = self.client.read_flow_runs(deployment_filter=wanted)
        return {run.id: run for run in found if run.auto_scheduled and run.start_time}

    def next_run(self) -> FlowRun:
        """Switch it on until it has started a run; the run, when it has ended."""
        before, soon = self.runs(), datetime.now(UTC) + timedelta(seconds=4)
        self.set(True, IntervalSchedule(interval=timedelta(seconds=30), anchor_date=soon))
        (run,) = patiently(lambda: [run for key, run in self.runs().items() if key not in before])
        self.set(False, IntervalSchedule(interval=timedelta(days=1)))
        assert self.prefect.wait(run).name == "Completed"
        return run


@pytest.fixture
def schedule(prefect: Prefect) -> Iterator[Schedule]:
    schedule = Schedule(prefect)
    yield schedule
    schedule.set(False, schedule.schedule.schedule)
    schedule.set_parameters(schedule.deployment.parameters)


def test_the_schedule_retrains_when_the_files_have_changed(
    prefect: Prefect, schedule: Schedule, settings: dict[str, Any], tmp_path: Path
) -> None:
    write_sample(tmp_path / "reviews", 300, seed=2)
    settings |= {name: str(tmp_path / f"reviews/{name}.ft.txt.bz2") for name in ("train", "test")}
    schedule.set_parameters({"settings": settings})
    assert set(states(prefect.tasks(schedule.next_run(), last="publish")).values()) == {"Completed"}

    second = states(prefect.tasks(schedule.next_run(), last="publish"))
    assert set(second.values()) == {"Skipped"}, "it retrained though nothing has changed"

    write_sample(tmp_path / "newer", 300, seed=3)
    (tmp_path / "newer/train.ft.txt.bz2").replace(tmp_path / "reviews/train.ft.txt.bz2")
    third = states(prefect.tasks(schedule.next_run(), last="publish"))
    assert third["train"] == third["evaluate"] == third["publish"] == "Completed"
    assert third["ingest/train/part-00000"] == "Completed"
    assert "ingest/test/part-00000" not in third, "the test file has not changed"
