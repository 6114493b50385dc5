"""One Prefect for all tests: `make ui` as a user starts it, with a home and a port of its own.

Runs that need a worker (Retry, cancel, kill) are started through the API; the others call the flows in this process,
which talks to the same server.
"""

import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Pending, Scheduled

from tests.conftest import TINY
from tests.flows.running_ui import Ui, client_of, free_port, make_ui
from tests.flows.user import Prefect


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
def prefect(client: SyncPrefectClient, lost_run: FlowRun, stuck_run: FlowRun) -> Prefect:
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
