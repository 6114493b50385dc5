"""Each deployment that no other test starts, run by the worker, and the schedule."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import IntervalSchedule

from sentiment_pipeline.sample import write_sample
from tests.flows.running_ui import patiently
from tests.flows.user import Prefect, states
from tests.folders import of_file


def test_evaluate_does_what_is_missing_before_it_too(
    prefect: Prefect, settings: dict[str, Any], finished: Path
) -> None:
    for name in ("packed/test/ids.npy", "model/model.safetensors"):
        (finished / name).unlink()
    run = prefect.start("evaluate", settings=settings)
    assert prefect.wait(run).name == "Completed"
    found = states(prefect.tasks(run, last="publish"))
    assert found["encode/packed/test"] == found["publish"] == "Completed"
    assert (finished / "model/model.safetensors").exists()


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
    prefect: Prefect, schedule: Schedule, settings: dict[str, Any], finished: Path, sample: Path, tmp_path: Path
) -> None:
    reviews = Path(shutil.copytree(sample, tmp_path / "reviews"))
    settings |= {name: str(reviews / f"{name}.ft.txt.bz2") for name in ("train", "test")}
    schedule.set_parameters({"settings": settings})
    first = states(prefect.tasks(schedule.next_run(), last="publish"))
    assert set(first.values()) == {"Skipped"}, "it retrained though nothing has changed"

    write_sample(tmp_path / "newer", 300, seed=3)
    (tmp_path / "newer/train.ft.txt.bz2").replace(reviews / "train.ft.txt.bz2")
    second = states(prefect.tasks(schedule.next_run(), last="publish"))
    assert second["train"] == second["evaluate"] == second["publish"] == "Completed"
    assert second[of_file(Path(settings["data_dir"]), "ingest/train/part-00000")] == "Completed"
    assert not any(name.startswith("ingest/test/") and "part" in name for name in second), "that file has not changed"
