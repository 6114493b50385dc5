"""What a person does in the Prefect UI, through the API, and what it shows them."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.states import AwaitingRetry, Cancelling

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.settings import Choices
from tests.flows.running_ui import patiently
from tests.folders import files_in


class Prefect:
    """A person in front of the UI."""

    def __init__(self, client: SyncPrefectClient) -> None:
        self.client = client

    def start(self, flow: str, state: "State | None" = None, **parameters: Any) -> FlowRun:
        """Start the deployment of a flow."""
        deployment = self.client.read_deployment_by_name(f"{flow}/local")
        return self.client.create_flow_run_from_deployment(deployment.id, parameters=parameters, state=state)

    def call(self, flow: Any, settings: dict[str, Any], *others: Any) -> FlowRun:
        """Call a flow in this process; its run as the server knows it."""
        state = flow(Choices.model_validate(settings), *others, return_state=True)
        return self.client.read_flow_run(state.state_details.flow_run_id)

    def wait(self, run: FlowRun, *states: str) -> State:
        """Wait until the run is in one of the states, by name; without any, until it has ended."""

        def reached() -> State | None:
            state = self.client.read_flow_run(run.id).state
            return state if state and (state.name in states if states else state.is_final()) else None

        return patiently(reached)

    def retry(self, run: FlowRun) -> State:
        self.client.set_flow_run_state(run.id, AwaitingRetry())
        return self.wait(run)

    def cancel(self, run: FlowRun) -> State:
        self.client.set_flow_run_state(run.id, Cancelling())
        return self.wait(run, "Cancelled", "Crashed", "Completed")

    def tasks(self, run: FlowRun, last: str = "", at_least: int = 1) -> list[TaskRun]:
        """The task runs in the order they were begun, once all have ended.

        They arrive late, so this waits for one that is called `last`, and for a number of them.
        """
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))

        def found() -> list[TaskRun]:
            tasks = self.client.read_task_runs(flow_run_filter=wanted)
            tasks.sort(key=lambda task: task.expected_start_time.timestamp() if task.expected_start_time else math.inf)
            ended = all(task.state and task.state.is_final() for task in tasks)
            complete = len(tasks) >= at_least and (not last or last in (task.name for task in tasks))
            return tasks if ended and complete else []

        return patiently(found)

    def logs(self, run: FlowRun) -> str:
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
        return "\n".join(log.message for log in self.client.read_logs(wanted, limit=200))


def states(tasks: Iterable[TaskRun]) -> dict[str, str | None]:
    """The last state of each name: a Retry adds task runs to those of the first attempt."""
    return {task.name: task.state.name for task in tasks if task.state}


def written(data_dir: Path) -> dict[str, tuple[int, str]]:
    """When each published file was written, and its SHA-256."""
    return {
        name: (path.stat().st_mtime_ns, sha256(path))
        for name, path in files_in(data_dir)
        if name not in (layout.LOCK, layout.SETTINGS)
    }
