"""One Prefect for all tests: `make ui` as a user starts it, with a home and a port of its own.

Runs that need a worker (Retry, cancel, kill) are started through the API; the others call the flows in this process,
which talks to the same server. Prefect looks for new work and new schedules every second or two, not every ten or
sixty.
"""

import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import connect
from typing import Any, TypeVar
from unittest.mock import patch

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from prefect.states import AwaitingRetry, Cancelling, Pending, Scheduled

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.settings import Choices
from tests.conftest import ROOT, TINY, wait_until
from tests.folders import files_in

Found = TypeVar("Found")

READY = 180  # seconds, on a machine that is busy with other things too
POLL = 0.3  # seconds between two requests, each of which costs the server's process time
EAGER = {
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_WORKER_PREFETCH_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
}


@dataclass(frozen=True)
class Ui:
    """A running `make ui`."""

    process: "subprocess.Popen[bytes]"
    url: str
    home: Path
    output: Path

    @property
    def api(self) -> str:
        return f"{self.url}/api"

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def registered(self) -> Path:
        """A copy of the database in which everything is registered and nothing has run."""
        return self.home / "registered.db"

    @property
    def worker(self) -> psutil.Process:
        """The worker's process."""
        return next(child for child in psutil.Process(self.process.pid).children() if "worker" in child.cmdline())

    def printed(self, text: str) -> int:
        """How often it has printed this."""
        return self.output.read_text().count(text)


@contextmanager
def make_ui(folder: Path, port: int, database: Path | None = None) -> Iterator[Ui]:
    """`make ui` until the end of the block, with its home below `folder`; then Ctrl-C must end it in order.

    Args:
        database: of an earlier server, to start from; making a new one takes ten seconds.
    """
    home, output = folder / "home", folder / "output"
    if database:
        home.mkdir()
        shutil.copy(database, home / "prefect.db")
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.ui", "--port", str(port)],
            cwd=ROOT,
            env=without_prefect(**EAGER, PREFECT_HOME=str(home)),
            stdout=file,
            stderr=file,
        )
    started = Ui(process, f"http://127.0.0.1:{port}", home, output)
    try:
        patiently(lambda: started.printed("Prefect UI:") or process.poll() is not None)
        assert process.poll() is None, output.read_text()
        yield started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(READY)
    printed = output.read_text()
    assert printed.index("ending the worker") < printed.index("ending the server")
    assert not is_listening(port)


@contextmanager
def client_of(ui: Ui) -> Iterator[SyncPrefectClient]:
    """A client of the server; flows that are called in this process are runs there."""
    settings = {PREFECT_API_URL: ui.api, PREFECT_HOME: str(ui.home)}
    with temporary_settings(settings), get_client(sync_client=True) as client:
        yield client


@pytest.fixture(scope="session")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    with make_ui(tmp_path_factory.mktemp("ui"), free_port()) as started:
        with closing(connect(started.home / "prefect.db")) as database, closing(connect(started.registered)) as copy:
            database.backup(copy)
        yield started


@pytest.fixture(scope="session")
def client(ui: Ui) -> Iterator[SyncPrefectClient]:
    with client_of(ui) as client:
        yield client


@pytest.fixture(scope="session")
def lost_run(client: SyncPrefectClient, ui: Ui, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> FlowRun:
    """A run that was killed together with its worker. Before all others, because it takes minutes to be noticed."""
    prefect = Prefect(client)
    run = prefect.start("pipeline", settings=tiny_settings(sample, tmp_path_factory.mktemp("lost")))
    prefect.wait(run, "Running")
    worker = ui.worker
    for process in (worker, *worker.children(recursive=True)):
        process.kill()
    return run


@pytest.fixture(scope="session")
def stuck_run(client: SyncPrefectClient, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> FlowRun:
    """A run whose worker was killed before it began; this too takes minutes to be noticed."""
    settings = tiny_settings(sample, tmp_path_factory.mktemp("stuck"))
    tomorrow: State = Scheduled(scheduled_time=datetime.now(UTC) + timedelta(days=1))
    run = Prefect(client).start("prepare", tomorrow, settings=settings)
    client.set_flow_run_state(run.id, Pending(), force=True)
    return run


@pytest.fixture(scope="session")
def prefect(client: SyncPrefectClient, lost_run: FlowRun, stuck_run: FlowRun) -> "Prefect":
    return Prefect(client)


@pytest.fixture
def settings(sample: Path, tmp_path: Path) -> dict[str, Any]:
    """The parameter of a run on the sample, in a data folder of its own."""
    return tiny_settings(sample, tmp_path / "data")


@pytest.fixture
def finished(settings: dict[str, Any], trained: Path, copy: Callable[[Path], Path]) -> Path:
    """The data folder of `settings`, in which the command line has finished everything."""
    folder = copy(trained)
    settings["data_dir"] = str(folder)
    return folder


def tiny_settings(sample: Path, data_dir: Path) -> dict[str, Any]:
    return {
        "train": str(sample / "train.ft.txt.bz2"),
        "test": str(sample / "test.ft.txt.bz2"),
        "data_dir": str(data_dir),
        **tomllib.loads(TINY),
    }


class Prefect:
    """What a person does in the UI, through the API."""

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


def patiently(condition: Callable[[], Found | None]) -> Found:
    """What `condition`, which asks the server, returns as soon as that is true."""
    found = wait_until(condition, READY, POLL)
    assert found
    return found


def without_prefect(**variables: str) -> dict[str, str]:
    """The environment without what tests set for Prefect, and with other variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | variables


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """`without_prefect` in this process, until the end of the block."""
    with patch.dict(os.environ, without_prefect(**variables), clear=True):
        yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
