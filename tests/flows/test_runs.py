"""Runs as their users start, retry, cancel and lose them, on a server with a worker."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_until
from tests.flows.running_ui import Ui, patiently
from tests.flows.user import Prefect, states, written
from tests.folders import of_file


@pytest.mark.parametrize(("processes", "resumed"), [(1, True), (2, False)])
def test_cancel_ends_the_children_and_a_new_run_resumes(
    prefect: Prefect, ui: Ui, settings: dict[str, Any], finished: Path, processes: int, resumed: bool
) -> None:
    """Two processes resume like one, which the tests of training show; here it would take a minute."""
    settings["execution"] = {"training_processes": processes}
    settings["training"] = {"epochs": 100_000, "batch_size": 64, "validate_every": 50}
    checkpoints = finished / "checkpoints"
    before = {*checkpoints.iterdir()}

    def steps() -> list[int]:
        """The steps of the checkpoints of this training."""
        folders = {*checkpoints.iterdir()} - before
        return [int(path.stem.removeprefix("step-")) for folder in folders for path in folder.rglob("step-*.pt")]

    run = prefect.start("train", settings=settings)
    wait_until(steps)
    children = ui.worker.children(recursive=True)
    assert children
    state = prefect.cancel(run)
    assert state.name == "Cancelled", f"{state.message}\n{prefect.logs(run)}\n{ui.output.read_text()}"
    wait_until(lambda: not any(child.is_running() for child in children))
    step = max(steps())
    assert states(prefect.tasks(run, last="train"))["train"] == "Cancelled"
    if not resumed:
        return
    run = prefect.start("train", settings=settings)
    wait_until(lambda: max(steps(), default=0) > step)
    (folder,) = {*checkpoints.iterdir()} - before
    history = [json.loads(line)["step"] for line in (folder / "history.jsonl").read_text().splitlines()]
    assert history == sorted(history), "training started over"
    assert prefect.cancel(run).name == "Cancelled"


def test_a_killed_run_is_crashed_at_once_and_retry_continues(
    prefect: Prefect, ui: Ui, settings: dict[str, Any]
) -> None:
    data_dir = Path(settings["data_dir"])
    second_report = "Check whether the flow run exceeded its memory allocation"  # the worker's, after the runner's
    reports = ui.printed(f"flow_runs.worker - {second_report}")
    run = prefect.start("pipeline", settings=settings)
    wait_until(lambda: list(data_dir.glob("manifests/tokenize/train/*/part-00000.json")))
    before = written(data_dir)
    os.kill(json.loads((data_dir / ".lock").read_text())["process"], signal.SIGKILL)
    assert prefect.wait(run).name == "Crashed"
    wait_until(lambda: not any(child.is_running() for child in ui.worker.children(recursive=True)))
    patiently(lambda: ui.printed(f"flow_runs.worker - {second_report}") > reports)  # it would hit the second attempt
    assert prefect.retry(run).name == "Completed"
    assert states(prefect.tasks(run, last="publish"))[of_file(data_dir, "tokenize/test/part-00000")] in (
        "Completed",
        "Crashed",
    )
    after = written(data_dir)
    finished = {name for name in before if name.startswith("ingest/")}
    assert finished
    assert {name: after[name] for name in finished} == {name: before[name] for name in finished}


def test_a_run_killed_with_its_worker_is_crashed_after_a_while(prefect: Prefect, ui: Ui, lost_run: Any) -> None:
    state = prefect.wait(lost_run)
    assert state.name == "Crashed"
    assert "no heartbeat for 90 seconds" in str(state.message)
    assert ui.printed("starting the worker") == 2


def test_a_run_that_never_begins_is_crashed_after_a_while(prefect: Prefect, stuck_run: Any) -> None:
    state = prefect.wait(stuck_run)
    assert state.name == "Crashed"
    assert "not started within 180 seconds" in str(state.message)
