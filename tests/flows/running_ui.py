"""A running `make ui`, and the environment that it is started in.

Prefect looks for new work and new schedules every second or two here, not every ten or sixty.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import psutil
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from tests.conftest import PATIENCE, ROOT, wait_until

Found = TypeVar("Found")

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
        process.wait(PATIENCE)
    printed = output.read_text()
    assert printed.index("ending the worker") < printed.index("ending the server")
    assert not is_listening(port)


@contextmanager
def client_of(ui: Ui) -> Iterator[SyncPrefectClient]:
    """A client of the server; flows that are called in this process are runs there."""
    settings = {PREFECT_API_URL: ui.api, PREFECT_HOME: str(ui.home)}
    with temporary_settings(settings), get_client(sync_client=True) as client:
        yield client


def patiently(condition: Callable[[], Found | None]) -> Found:
    """What `condition`, which asks the server, returns as soon as that is true."""
    found = wait_until(condition, interval=POLL)
    assert found
    return found


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """`without_prefect` in this process, until the end of the block."""
    with patch.dict(os.environ, without_prefect(**variables), clear=True):
        yield


def without_prefect(**variables: str) -> dict[str, str]:
    """The environment without what tests set for Prefect, and with other variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | variables


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
