"""What `make ui` sets up, and that starting it again finds it as it was."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.objects import FlowRun

from deployments.ui import FOLDER
from sentiment_pipeline.settings import Choices
from tests.conftest import ROOT
from tests.flows.conftest import Prefect, Ui

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
    assert {"enum": ["seed", "quick", "full"], "type": "string"} in preset["anyOf"]
    count = definitions["VocabularyChoices"]["properties"]["min_count"]
    assert count["description"]
    assert {"type": "integer", "minimum": 1, "maximum": 1_000_000} in count["anyOf"]
    assert deployment.enforce_parameter_schema


def test_the_default_parameters_are_settings() -> None:
    for each in yaml.safe_load((FOLDER / "prefect.yaml").read_text())["deployments"]:
        if "settings" in each["parameters"]:
            Choices.model_validate(each["parameters"]["settings"])
        path, _, function = each["entrypoint"].partition(":")
        assert f"def {function}(" in (ROOT / path).read_text()


def test_registering_again_changes_nothing(client: SyncPrefectClient, ui: Ui) -> None:
    deployment = client.read_deployment_by_name("pipeline/local")
    schedule = client.read_deployment_schedules(deployment.id)[0]
    client.update_deployment_schedule(deployment.id, schedule.id, active=True)
    client.update_deployment(deployment.id, DeploymentUpdate(description="changed in the UI"))
    before = {each.id: each.updated for each in client.read_deployments()}
    automations = [each.id for each in client.read_automations()]
    subprocess.run([sys.executable, "-c", "from deployments import ui; ui.set_environment(); ui.register()"], cwd=ROOT,
                   check=True, env={**os.environ, "PREFECT_API_URL": ui.api, "PREFECT_HOME": str(ui.home)})
    assert {each.id: each.updated for each in client.read_deployments()} == before
    assert [each.id for each in client.read_automations()] == automations
    assert client.read_deployment_schedules(deployment.id)[0].active
    client.update_deployment_schedule(deployment.id, schedule.id, active=False)


def test_the_server_listens_on_this_machine_alone(ui: Ui) -> None:
    port = int(ui.url.rpartition(":")[2])
    listening = {connection.laddr.ip for connection in psutil.net_connections("tcp")
                 if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port}
    assert listening == {"127.0.0.1"}


def test_a_taken_port_is_one_clear_line(ui: Ui, tmp_path: Path) -> None:
    port = ui.url.rpartition(":")[2]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    result = subprocess.run([sys.executable, "-m", "deployments.ui", "--port", port], cwd=ROOT, text=True, check=False,
                            capture_output=True, env={**environment, "PREFECT_HOME": str(tmp_path)})
    assert result.returncode == 1
    assert result.stderr == (f"sentiment-pipeline: port {port} is in use; end what uses it, or choose another: "
                             f"make ui PORT={int(port) + 1}\n")


def test_a_run_killed_with_its_worker_is_crashed_after_a_while(prefect: Prefect, ui: Ui, lost_run: FlowRun) -> None:
    assert prefect.wait(lost_run).name == "Crashed"
    assert "no heartbeat" in str(prefect.wait(lost_run).message)
    assert ui.output.read_text().count("starting the worker") == 2
