"""Each deployment that no other test starts, run by the worker, and the schedule."""

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import IntervalSchedule

from sentiment_pipeline.sample import write_sample
from tests.flows.conftest import READY, Prefect, wait_until

EVERY = timedelta(seconds=30)


def states(prefect: Prefect, run: FlowRun, last: str) -> dict[str, str]:
    """The state of each task run; complete when there is one named `last`."""
    tasks = prefect.tasks(run, lambda tasks: any(task.name == last for task in tasks))
    return {task.name: task.state.name for task in tasks if task.state}


def test_files_are_scored(prefect: Prefect, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "reviews.txt").write_text("not bad at all\nthe worst book I have read\n")
    run = prefect.begin(
        "predict", files=[str(tmp_path / "reviews.txt")], output=str(tmp_path / "out"), model=str(trained / "model")
    )
    assert prefect.wait(run).name == "Completed"
    assert pq.read_table(tmp_path / "out/reviews.txt.parquet")["line"].to_pylist() == [1, 2]


def test_a_search_finds_settings(prefect: Prefect, settings: dict[str, Any]) -> None:
    run = prefect.begin("search", settings=settings, trials=1, vary=["model.word_dropout"])
    assert prefect.wait(run).name == "Completed"
    assert states(prefect, run, "trial-000")["trial-000"] == "Completed"
    assert "word_dropout" in tomllib.loads(Path(settings["data_dir"], "search/best.toml").read_text())["model"]


def test_evaluate_measures_and_publishes(prefect: Prefect, settings: dict[str, Any]) -> None:
    run = prefect.begin("evaluate", settings=settings)
    assert prefect.wait(run).name == "Completed"
    assert states(prefect, run, "publish")["publish"] == "Completed"
    assert Path(settings["data_dir"], "model/model.safetensors").exists()


class Schedule:
    """The schedule of the pipeline, on the reviews of a test."""

    def __init__(self, prefect: Prefect) -> None:
        self.prefect, self.client = prefect, prefect.client
        self.deployment = self.client.read_deployment_by_name("pipeline/local")
        self.schedule = self.client.read_deployment_schedules(self.deployment.id)[0]

    def set(self, active: bool, schedule: Any) -> None:
        self.client.update_deployment_schedule(self.deployment.id, self.schedule.id, active=active, schedule=schedule)

    def parameters(self, parameters: dict[str, Any]) -> None:
        self.client.update_deployment(self.deployment.id, DeploymentUpdate(parameters=parameters))

    def runs(self) -> dict[Any, FlowRun]:
        """The runs that the schedule has begun."""
        wanted = DeploymentFilter(id=DeploymentFilterId(any_=[self.deployment.id]))
        return {
            run.id: run
            for run in self.client.read_flow_runs(deployment_filter=wanted)
            if run.auto_scheduled and run.start_time
        }

    def next_run(self) -> FlowRun:
        """Switch it on until it has begun a run; the run, when it has ended."""
        before = self.runs()
        self.set(True, IntervalSchedule(interval=EVERY))
        run = wait_until(lambda: [run for key, run in self.runs().items() if key not in before], READY)[0]
        self.set(False, IntervalSchedule(interval=EVERY))
        assert self.prefect.wait(run).name == "Completed"
        return run


@pytest.fixture
def schedule(prefect: Prefect) -> Iterator[Schedule]:
    schedule = Schedule(prefect)
    yield schedule
    schedule.set(False, schedule.schedule.schedule)
    schedule.parameters(schedule.deployment.parameters)


def test_the_schedule_retrains_when_the_files_have_changed(
    prefect: Prefect, client: SyncPrefectClient, schedule: Schedule, settings: dict[str, Any], tmp_path: Path
) -> None:
    write_sample(tmp_path / "reviews", 300, seed=2)
    settings |= {name: str(tmp_path / f"reviews/{name}.ft.txt.bz2") for name in ("train", "test")}
    schedule.parameters({"settings": settings})
    assert set(states(prefect, schedule.next_run(), "publish").values()) == {"Completed"}

    run = schedule.next_run()
    assert set(states(prefect, run, "publish").values()) == {"Skipped"}, "it retrained though nothing has changed"

    write_sample(tmp_path / "newer", 300, seed=3)
    (tmp_path / "newer/train.ft.txt.bz2").replace(tmp_path / "reviews/train.ft.txt.bz2")
    again = states(prefect, schedule.next_run(), "publish")
    assert again["train"] == again["evaluate"] == again["publish"] == "Completed"
    assert again["ingest/train/part-00000"] == "Completed"
    assert "ingest/test/part-00000" not in again, "the test file has not changed"
