"""One Prefect for all tests: `make ui` as a user starts it, with a home and a port of its own.

Runs that need a worker (Retry, cancel, kill) are started through the API; the others call the flows in this process,
which talks to the same server.
"""

import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from prefect.states import AwaitingRetry, Cancelling, Pending, Scheduled

from tests.conftest import ROOT, TINY, wait_until

READY = 180  # seconds, on a machine that does other things too


@dataclass(frozen=True)
class Ui:
    """A running `make ui`."""

    process: "subprocess.Popen[str]"
    url: str
    home: Path
    output: Path

    @property
    def api(self) -> str:
        return f"{self.url}/api"


@pytest.fixture(scope="session")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """Start the UI once; at the end Ctrl-C must end the worker, then the server, and leave nothing."""
    home, output = tmp_path_factory.mktemp("prefect"), tmp_path_factory.mktemp("ui") / "output"
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.ui", "--port", str(port)],
            cwd=ROOT,
            text=True,
            env={**environment, "PREFECT_HOME": str(home)},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    started = Ui(process, f"http://127.0.0.1:{port}", home, output)
    try:
        wait_until(lambda: "Prefect UI:" in output.read_text() or process.poll() is not None, READY)
        assert process.poll() is None, output.read_text()
        yield started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(READY)
    said = output.read_text()
    assert said.index("ending the worker") < said.index("ending the server")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="session")
def client(ui: Ui) -> Iterator[SyncPrefectClient]:
    """A client of the server; flows called in this process are runs there too."""
    settings = {PREFECT_API_URL: ui.api, PREFECT_HOME: str(ui.home)}
    with temporary_settings(settings), get_client(sync_client=True) as client:
        yield client


@pytest.fixture(scope="session")
def lost_run(client: SyncPrefectClient, ui: Ui, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> FlowRun:
    """A run that was killed together with its worker. Before all others, because it takes minutes to be noticed."""
    prefect = Prefect(client)
    run = prefect.start("pipeline", tiny_settings(sample, tmp_path_factory.mktemp("lost")))
    prefect.wait(run, "Running")
    for process in (worker_of(ui.process), *worker_of(ui.process).children(recursive=True)):
        process.kill()
    return run


@pytest.fixture(scope="session")
def stuck_run(client: SyncPrefectClient, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> FlowRun:
    """A run whose worker was killed as it began; this too takes minutes to be noticed."""
    settings = tiny_settings(sample, tmp_path_factory.mktemp("stuck"))
    run = Prefect(client).begin(
        "prepare", Scheduled(scheduled_time=datetime.now(UTC) + timedelta(days=1)), settings=settings
    )
    client.set_flow_run_state(run.id, Pending(), force=True)
    return run


@pytest.fixture(scope="session")
def prefect(client: SyncPrefectClient, lost_run: FlowRun, stuck_run: FlowRun) -> "Prefect":
    return Prefect(client)


@pytest.fixture
def settings(sample: Path, tmp_path: Path) -> dict[str, Any]:
    """The parameter of a run on the sample, in a data folder of its own."""
    return tiny_settings(sample, tmp_path / "data")


def tiny_settings(sample: Path, data_dir: Path) -> dict[str, Any]:
    return {
        "train": str(sample / "train.ft.txt.bz2"),
        "test": str(sample / "test.ft.txt.bz2"),
        "data_dir": str(data_dir),
        **tomllib.loads(TINY),
    }


def worker_of(ui: "subprocess.Popen[Any]") -> psutil.Process:
    """The worker's process."""
    return next(child for child in psutil.Process(ui.pid).children() if "worker" in child.cmdline())


class Prefect:
    """What a person does in the UI, through the API."""

    def __init__(self, client: SyncPrefectClient) -> None:
        self.client = client

    def start(self, flow: str, settings: dict[str, Any]) -> FlowRun:
        return self.begin(flow, settings=settings)

    def begin(self, flow: str, state: "State | None" = None, **parameters: Any) -> FlowRun:
        deployment = self.client.read_deployment_by_name(f"{flow}/local")
        return self.client.create_flow_run_from_deployment(deployment.id, parameters=parameters, state=state)

    def wait(self, run: FlowRun, *states: str) -> State:
        """Wait until the run is in one of the states, by name; without any, until it has ended."""

        def reached() -> State | None:
            state = self.client.read_flow_run(run.id).state
            return state if state and (state.name in states if states else state.is_final()) else None

        return wait_until(reached, READY)

    def retry(self, run: FlowRun) -> State:
        self.client.set_flow_run_state(run.id, AwaitingRetry())
        return self.wait(run)

    def cancel(self, run: FlowRun) -> State:
        self.client.set_flow_run_state(run.id, Cancelling())
        return self.wait(run, "Cancelled", "Crashed", "Completed")

    def tasks(self, run: FlowRun, complete: Callable[[list[TaskRun]], bool] = bool) -> list[TaskRun]:
        """The task runs in the order they were begun, once they are as `complete` wants; they arrive late."""
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))

        def found() -> list[TaskRun]:
            tasks = self.client.read_task_runs(flow_run_filter=wanted)
            tasks.sort(key=lambda task: task.expected_start_time)
            settled = all(task.state and task.state.is_final() for task in tasks)
            return tasks if settled and complete(tasks) else []

        return wait_until(found, READY)

    def logs(self, run: FlowRun) -> str:
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
        return "\n".join(log.message for log in self.client.read_logs(wanted, limit=200))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
