"""What is registered at a server, and that registering again leaves it as users have changed it."""

from collections.abc import Iterator
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.objects import FlowRun
from prefect.utilities.importtools import import_object

from deployments.registration import _definitions, register
from sentiment_pipeline.settings import Choices
from tests.flows.running_ui import Ui, environment
from tests.flows.user import Prefect

FLOWS = {"pipeline", "prepare", "train", "evaluate", "predict", "search"}


def flow_names(client: SyncPrefectClient) -> set[str]:
    """The names of the flows that have a deployment."""
    return {client.read_flow(each.flow_id).name for each in client.read_deployments()}


def test_every_deployment_is_there(client: SyncPrefectClient) -> None:
    deployments = client.read_deployments()
    assert flow_names(client) == FLOWS
    assert len(deployments) == len(FLOWS)
    assert all(each.name == "local" and each.work_pool_name == "local" for each in deployments)
    assert all("sentiment" in each.tags and each.description for each in deployments)
    assert client.read_work_pool("local").type == "process"
    schedules = [schedule for each in deployments for schedule in client.read_deployment_schedules(each.id)]
    assert [schedule.active for schedule in schedules] == [False]


def test_every_automation_is_there_and_waits_for_three_heartbeats(client: SyncPrefectClient) -> None:
    defined = {each["name"]: each for each in _definitions("automations", "automations.yaml")}
    registered = {each.name: each for each in client.read_automations()}
    assert set(registered) == set(defined)
    assert all(each.enabled for each in registered.values())
    lost: Any = registered["sentiment-pipeline runs without heartbeat are crashed"]
    deployment = client.read_deployment_by_name("pipeline/local")
    heartbeat = int(deployment.job_variables["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    assert lost.trigger.within.total_seconds() == 3 * heartbeat


def test_the_form_is_made_from_the_settings(client: SyncPrefectClient) -> None:
    deployment = client.read_deployment_by_name("pipeline/local")
    schema: dict[str, Any] = deployment.parameter_openapi_schema or {}
    models = schema["definitions"]
    preset = models["Choices"]["properties"]["preset"]
    assert {"enum": ["tutorial", "quick", "full"], "type": "string"} in preset["anyOf"]
    count = models["VocabularyChoices"]["properties"]["min_count"]
    assert count["description"]
    assert {"type": "integer", "minimum": 1, "maximum": 1_000_000} in count["anyOf"]
    assert schema["properties"]["settings"]["description"].startswith("The files, the folder and the preset.")
    assert deployment.enforce_parameter_schema


def test_the_default_parameters_are_settings() -> None:
    for each in _definitions("deployments", "prefect.yaml"):
        if "settings" in each["parameters"]:
            Choices.model_validate(each["parameters"]["settings"])
        assert import_object(each["entrypoint"]).name == each["entrypoint"].rpartition(".")[2]


@pytest.fixture
def like_make_ui(ui: Ui, prefect: Prefect, lost_run: FlowRun, stuck_run: FlowRun) -> Iterator[None]:
    """The environment of the running `make ui`, when no automation is waiting any more, because they are registered."""
    for run in (lost_run, stuck_run):
        prefect.wait(run)
    with environment(PREFECT_HOME=str(ui.home), PREFECT_API_URL=ui.api):
        yield


@pytest.mark.usefixtures("like_make_ui")
def test_registering_again_changes_nothing(client: SyncPrefectClient) -> None:
    deployment = client.read_deployment_by_name("pipeline/local")
    schedule = client.read_deployment_schedules(deployment.id)[0]
    client.update_deployment_schedule(deployment.id, schedule.id, active=True)
    client.update_deployment(deployment.id, DeploymentUpdate(description="changed in the UI"))
    before = {each.id: each.updated for each in client.read_deployments()}
    automations = [each.id for each in client.read_automations()]
    register()
    assert {each.id: each.updated for each in client.read_deployments()} == before
    assert [each.id for each in client.read_automations()] == automations
    assert client.read_deployment_schedules(deployment.id)[0].active
    client.update_deployment_schedule(deployment.id, schedule.id, active=False)


@pytest.mark.usefixtures("like_make_ui")
def test_a_deleted_deployment_and_automation_are_registered_again(client: SyncPrefectClient) -> None:
    client.delete_deployment(client.read_deployment_by_name("search/local").id)
    client.delete_automation(client.read_automations()[0].id)
    assert flow_names(client) == FLOWS - {"search"}
    register()
    assert flow_names(client) == FLOWS
    assert sorted(each.name for each in client.read_automations()) == sorted(
        each["name"] for each in _definitions("automations", "automations.yaml")
    )
    assert client.read_deployment_by_name("pipeline/local").description != "changed in the UI"
