"""Runs as their users start, retry, cancel and lose them, on a server with a worker."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.exceptions import PrefectHTTPStatusError

from flows.pipeline import pipeline, prepare
from sentiment_pipeline.settings import Choices
from tests.flows.conftest import Prefect, Ui, wait_until, worker_of


def states(tasks: list[TaskRun]) -> dict[str, str]:
    """The last state of each name: a Retry adds task runs to those of the first attempt."""
    return {task.name: task.state.name for task in tasks if task.state}


def ended(tasks: list[TaskRun]) -> bool:
    return any(task.name == "publish" for task in tasks)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each published file was written, and its bytes."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", "settings.json")
    }


def outputs(folder: Path) -> dict[str, bytes]:
    """The bytes of each published file; without the manifests, which tell the time that work took."""
    return {name: content for name, (_, content) in contents(folder).items() if "manifests" not in name}


def in_this_process(flow: Any, client: SyncPrefectClient, settings: dict[str, Any]) -> FlowRun:
    """Call a flow; return its run as the server knows it."""
    state = flow(Choices.model_validate(settings), return_state=True)
    return client.read_flow_run(state.state_details.flow_run_id)


@pytest.fixture
def prepared(client: SyncPrefectClient, settings: dict[str, Any]) -> Path:
    """A data folder that is ready for training."""
    run = in_this_process(prepare, client, settings)
    assert run.state
    assert run.state.is_completed(), run.state.message
    return Path(settings["data_dir"])


def test_retry_goes_on_with_what_is_not_finished(prefect: Prefect, settings: dict[str, Any]) -> None:
    data_dir = Path(settings["data_dir"])
    in_the_way = data_dir / "shards/test/part-00000.parquet"
    in_the_way.mkdir(parents=True)

    run = prefect.start("pipeline", settings)
    state = prefect.wait(run)
    assert state.name == "Failed"
    assert str(in_the_way) in str(state.message)
    assert "\n" not in str(state.message)
    first = states(prefect.tasks(run))
    assert first["ingest"] == first["tokenize"] == first["vocabulary"] == "Completed"
    assert first["encode"] == first["encode/test/part-00000"] == "Failed"
    before = contents(data_dir)

    in_the_way.rmdir()
    assert prefect.retry(run).name == "Completed"
    tasks = prefect.tasks(run, ended)
    again = states(tasks[len(first) :])
    assert again["ingest"] == again["tokenize"] == again["vocabulary"] == "Skipped"
    assert again["encode/test/part-00000"] == again["encode"] == again["train"] == again["publish"] == "Completed"
    finished_before = {name for name, state in first.items() if state == "Completed" and "/" in name}
    assert not finished_before & set(again), "steps that had been finished were done again"
    after = contents(data_dir)
    assert {name: after[name] for name in before} == before
    assert "Traceback" not in prefect.logs(run)


def test_a_new_run_skips_and_says_why_and_rebuilds_what_is_damaged(
    client: SyncPrefectClient, prefect: Prefect, settings: dict[str, Any], prepared: Path
) -> None:
    before = contents(prepared)
    run = in_this_process(prepare, client, settings)
    tasks = prefect.tasks(run, lambda tasks: len(tasks) >= 4)
    assert states(tasks) == dict.fromkeys(("ingest", "tokenize", "vocabulary", "encode"), "Skipped")
    messages = [str(task.state.message) for task in tasks if task.state]
    assert all("steps finished before" in message for message in messages), messages
    assert contents(prepared) == before

    damaged, deleted = prepared / "shards/train/part-00000.parquet", prepared / "ingest/test/part-00000.parquet"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    deleted.unlink()
    run = in_this_process(prepare, client, settings)
    done = {
        name
        for name, state in states(prefect.tasks(run, lambda tasks: len(tasks) >= 6)).items()
        if state == "Completed" and "/" in name
    }
    assert done == {"ingest/test/part-00000", "encode/train/part-00000"}
    assert outputs(prepared) == {name: content for name, (_, content) in before.items() if "manifests" not in name}


def test_a_wrong_value_is_stopped_before_the_run_begins(prefect: Prefect, settings: dict[str, Any]) -> None:
    for group, value, named in (
        ("vocabulary", {"min_count": 0}, "min_count"),
        ("model", {"hiden": 1}, "hiden"),
        ("preset", "fast", "preset"),
    ):
        with pytest.raises(PrefectHTTPStatusError, match=named) as refused:
            prefect.start("pipeline", {**settings, group: value})
        assert refused.value.response.status_code == 409


def test_values_that_do_not_fit_each_other_fail_in_one_line(
    client: SyncPrefectClient, prefect: Prefect, settings: dict[str, Any]
) -> None:
    run = in_this_process(pipeline, client, {**settings, "execution": {"runner": "dask"}})
    assert run.state
    assert run.state.name == "Failed"
    assert run.state.message == "execution.dask_address is empty; execution.runner dask needs the scheduler's address"
    assert "Traceback" not in prefect.logs(run)
    assert not Path(settings["data_dir"]).exists()


@pytest.mark.parametrize("processes", [1, 2])
def test_cancel_ends_the_children_and_a_new_run_goes_on(
    prefect: Prefect, ui: Ui, settings: dict[str, Any], prepared: Path, processes: int
) -> None:
    settings["execution"] = {"training_processes": processes}
    settings["training"] = {"epochs": 100_000, "batch_size": 64, "validate_every": 50}
    run = prefect.start("train", settings)
    checkpoints = prepared / "checkpoints"
    wait_until(lambda: [*checkpoints.rglob("step-*.pt")], 120)
    children = worker_of(ui.process).children(recursive=True)
    assert children
    state = prefect.cancel(run)
    assert state.name == "Cancelled", f"{state.message}\n{prefect.logs(run)}\n{ui.output.read_text()}"
    wait_until(lambda: not any(child.is_running() for child in children), 30)
    step = max(int(path.stem.removeprefix("step-")) for path in checkpoints.rglob("step-*.pt"))
    assert states(prefect.tasks(run))["train"] == "Cancelled"

    run = prefect.start("train", settings)
    wait_until(
        lambda: [path for path in checkpoints.rglob("step-*.pt") if int(path.stem.removeprefix("step-")) > step], 120
    )
    history = next(iter(checkpoints.rglob("history.jsonl"))).read_text().splitlines()
    steps = [json.loads(line)["step"] for line in history]
    assert steps == sorted(steps), "training began anew"
    assert prefect.cancel(run).name == "Cancelled"


def test_a_killed_run_is_crashed_at_once_and_retry_goes_on(prefect: Prefect, ui: Ui, settings: dict[str, Any]) -> None:
    data_dir = Path(settings["data_dir"])
    run = prefect.start("pipeline", settings)
    wait_until(lambda: (data_dir / "manifests/tokenize/train/part-00000.json").exists(), 120)
    before = contents(data_dir)
    os.kill(json.loads((data_dir / ".lock").read_text())["process"], signal.SIGKILL)
    assert prefect.wait(run).name == "Crashed"
    wait_until(lambda: not any(child.is_running() for child in worker_of(ui.process).children(recursive=True)), 30)
    time.sleep(5)  # Prefect's worker tells of a death twice, and the second time may hit what is done meanwhile
    assert prefect.retry(run).name == "Completed"
    assert states(prefect.tasks(run, ended))["tokenize/test/part-00000"] in ("Completed", "Crashed")
    after = contents(data_dir)
    finished = {name for name in before if name.startswith("ingest/")}
    assert finished
    assert {name: after[name] for name in finished} == {name: before[name] for name in finished}
