"""What `make ui` sets up, and that starting it again finds it as it was."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.importtools import import_object

from deployments.ui import FOLDER
from sentiment_pipeline.settings import Choices
from tests.conftest import ROOT
from tests.flows.conftest import READY, Prefect, Ui, free_port, tiny_settings, wait_until, worker_of

FLOWS = {"pipeline", "prepare", "train", "evaluate", "predict", "search"}


def test_every_deployment_is_there(client: SyncPrefectClient) -> None:
    deployments = client.read_deployments()
    flows = {client.read_flow(each.flow_id).name: each for each in deployments}
    assert set(flows) == FLOWS
    assert all(each.name == "local" and each.work_pool_name == "local" for each in deployments)
    assert all("sentiment" in each.tags and each.description for each in deployments)
    assert client.read_work_pool("local").type == "process"
    schedules = [schedule for each in deployments for schedule in client.read_deployment_schedules(each.id)]
    assert [schedule.active for schedule in schedules] == [False]


def test_the_form_is_made_from_the_settings(client: SyncPrefectClient) -> None:
    deployment = client.read_deployment_by_name("pipeline/local")
    schema: dict[str, Any] = deployment.parameter_openapi_schema or {}
    definitions = schema["definitions"]
    preset = definitions["Choices"]["properties"]["preset"]
    assert {"enum": ["tutorial", "quick", "full"], "type": "string"} in preset["anyOf"]
    count = definitions["VocabularyChoices"]["properties"]["min_count"]
    assert count["description"]
    assert {"type": "integer", "minimum": 1, "maximum": 1_000_000} in count["anyOf"]
    assert deployment.enforce_parameter_schema


def test_the_default_parameters_are_settings() -> None:
    for each in yaml.safe_load((FOLDER / "prefect.yaml").read_text())["deployments"]:
        if "settings" in each["parameters"]:
            Choices.model_validate(each["parameters"]["settings"])
        assert import_object(each["entrypoint"]).name == each["entrypoint"].rpartition(".")[2]


def test_registering_again_changes_nothing(client: SyncPrefectClient, ui: Ui) -> None:
    deployment = client.read_deployment_by_name("pipeline/local")
    schedule = client.read_deployment_schedules(deployment.id)[0]
    client.update_deployment_schedule(deployment.id, schedule.id, active=True)
    client.update_deployment(deployment.id, DeploymentUpdate(description="changed in the UI"))
    before = {each.id: each.updated for each in client.read_deployments()}
    automations = [each.id for each in client.read_automations()]
    subprocess.run(
        [sys.executable, "-c", "from deployments import ui; ui.set_environment(); ui.register()"],
        cwd=ROOT,
        check=True,
        env={**os.environ, "PREFECT_API_URL": ui.api, "PREFECT_HOME": str(ui.home)},
    )
    assert {each.id: each.updated for each in client.read_deployments()} == before
    assert [each.id for each in client.read_automations()] == automations
    assert client.read_deployment_schedules(deployment.id)[0].active
    client.update_deployment_schedule(deployment.id, schedule.id, active=False)


def test_the_server_listens_on_this_machine_alone(ui: Ui) -> None:
    port = int(ui.url.rpartition(":")[2])
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }
    assert listening == {"127.0.0.1"}


def test_no_website_can_drive_the_server(ui: Ui) -> None:
    evil, own = {"Origin": "http://evil.example"}, {"Origin": ui.url}
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    with httpx.Client(base_url=ui.api) as browser:
        for origin, allowed in ((evil, None), (own, ui.url)):
            answer = browser.options("/flows/", headers={**origin, **preflight})
            assert answer.headers.get("access-control-allow-origin") == allowed
        assert browser.post("/flows/", json={"name": "theirs"}, headers=evil).status_code == 403  # without a token


def test_a_taken_port_is_one_clear_line(ui: Ui, tmp_path: Path) -> None:
    port = ui.url.rpartition(":")[2]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    result = subprocess.run(
        [sys.executable, "-m", "deployments.ui", "--port", port],
        cwd=ROOT,
        text=True,
        check=False,
        capture_output=True,
        env={**environment, "PREFECT_HOME": str(tmp_path)},
    )
    assert result.returncode == 1
    assert result.stderr == (
        f"sentiment-pipeline: port {port} is in use; end what uses it, or choose another: "
        f"make ui PORT={int(port) + 1}\n"
    )


def test_a_run_killed_with_its_worker_is_crashed_after_a_while(prefect: Prefect, ui: Ui, lost_run: FlowRun) -> None:
    assert prefect.wait(lost_run).name == "Crashed"
    assert "no heartbeat" in str(prefect.wait(lost_run).message)
    assert ui.output.read_text().count("starting the worker") == 2


def test_a_run_that_never_begins_is_crashed_after_a_while(prefect: Prefect, stuck_run: FlowRun) -> None:
    state = prefect.wait(stuck_run)
    assert state.name == "Crashed"
    assert "did not begin within 180 seconds" in str(state.message)


def test_a_killed_worker_and_ctrl_c_let_runs_save_their_state_and_report(
    client: SyncPrefectClient, tmp_path: Path, sample: Path
) -> None:
    """A UI of its own, whose worker is killed and which is ended while a training goes on; then it is started again."""
    port, settings = str(free_port()), tiny_settings(sample, tmp_path / "data")
    settings["training"] = {"epochs": 100_000, "batch_size": 64, "validate_every": 50}
    settings["runtime"]["checkpoint_every"] = 1_000_000
    checkpoints, output = tmp_path / "data" / "checkpoints", tmp_path / "output"

    def steps() -> int:
        return sum(
            '"loss"' in line for path in checkpoints.rglob("history.jsonl") for line in path.read_text().splitlines()
        )

    with another_ui(tmp_path, port) as (first, prefect):
        orphan = prefect.start("pipeline", settings)
        wait_until(steps, READY)
        worker = worker_of(first)
        processes = worker.children(recursive=True)
        worker.kill()
        assert prefect.wait(orphan).name == "Crashed"
        wait_until(lambda: not any(each.is_running() for each in processes), READY)
        assert [*checkpoints.rglob("step-*.pt")], "the training was ended before it could save its state"
        wait_until(lambda: output.read_text().count("starting the worker") == 2, READY)

        before = steps()
        run = prefect.start("pipeline", settings)
        wait_until(lambda: steps() > before, READY)
        prefect.client.delete_deployment(prefect.client.read_deployment_by_name("search/local").id)
        first.send_signal(signal.SIGINT)
        first.wait(READY)
    assert output.read_text().count("ending a run") == 2
    with another_ui(tmp_path, port) as (_, prefect):
        state = prefect.client.read_flow_run(run.id).state
        assert state is not None
        assert state.is_final(), state
        assert {prefect.client.read_flow(each.flow_id).name for each in prefect.client.read_deployments()} == FLOWS


@contextmanager
def another_ui(folder: Path, port: str) -> "Iterator[tuple[subprocess.Popen[bytes], Prefect]]":
    """`make ui` once more, with a home below `folder`, and what a person does in it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    output = folder / "output"
    with output.open("w") as file:
        started = subprocess.Popen(
            [sys.executable, "-m", "deployments.ui", "--port", port],
            cwd=ROOT,
            stdout=file,
            env={**environment, "PREFECT_HOME": str(folder / "home")},
            stderr=file,
        )
    try:
        wait_until(lambda: "Prefect UI:" in output.read_text(), READY)
        with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}), get_client(sync_client=True) as own:
            yield started, Prefect(own)
    finally:
        started.send_signal(signal.SIGINT)
        started.wait(READY)
