"""The processes of `make ui`: the server, the worker, and the runs that the worker starts."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from flows import server_address
from sentiment_pipeline.errors import PipelineError

__all__ = ["run_worker", "server"]

_Process = subprocess.Popen[bytes]

_START_TIMEOUT = 120  # seconds for the server to answer, on a slow machine
_END_TIMEOUT = 40  # seconds for a process to end
_OWNER = "SENTIMENT_PIPELINE_UI"  # variable in the environment of runs: the process that started their worker


@contextmanager
def server(port: int) -> Iterator[_Process]:
    """Run a server on 127.0.0.1 for as long as the block lasts, and set `PREFECT_API_URL`.

    Raises:
        PipelineError: the port is in use, or the server does not start.
    """
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise PipelineError(f"port {port} is in use; end what uses it, or choose another: make ui PORT={port + 1}")
    address, home = f"http://127.0.0.1:{port}", Path(os.environ["PREFECT_HOME"])
    api = os.environ["PREFECT_API_URL"] = f"{address}/api"
    # Prefect's defaults allow all origins, so any website in a browser on this machine could start runs.
    os.environ.setdefault("PREFECT_SERVER_CORS_ALLOWED_ORIGINS", address)
    os.environ.setdefault("PREFECT_SERVER_CSRF_PROTECTION_ENABLED", "true")
    arguments = ("server", "start", "--host", "127.0.0.1", "--port", str(port))
    with (home / "server.log").open("w") as log, _prefect(*arguments, stdout=log, stderr=log) as process:
        deadline = time.monotonic() + _START_TIMEOUT
        while not server_address.is_healthy(api):
            if process.poll() is not None or time.monotonic() > deadline:
                raise PipelineError(f"the Prefect server does not start; see {log.name}")
            time.sleep(0.2)
        with server_address.announce(home, api):
            yield process


def run_worker(pool: str, own_server: _Process | None) -> None:
    """Run a worker until it is killed. Its runs end with it, because nothing else could cancel them.

    Args:
        pool: name of its work pool; also the name of the worker.
        own_server: the server of this `make ui`, if there is one.

    Raises:
        PipelineError: the worker has exited without being killed, or the server has ended.
    """
    os.environ[_OWNER] = str(os.getpid())
    with _prefect("worker", "start", "--pool", pool, "--name", pool) as worker:
        try:
            while worker.poll() is None:
                if own_server is not None and own_server.poll() is not None:
                    raise PipelineError("the Prefect server has ended; see server.log in PREFECT_HOME")
                time.sleep(1)
        finally:
            _end_runs()
    if worker.returncode >= 0:
        raise PipelineError("the worker has ended; see its last lines above")


def _end_runs() -> None:
    """End the runs that were started from here, after they have saved their state and reported."""
    runs = [
        process
        for process in psutil.process_iter(["cmdline"])
        if "prefect.engine" in (process.info["cmdline"] or ()) and _owner(process) == str(os.getpid())
    ]
    for process in runs:
        print("ending a run", flush=True)
        process.terminate()
    for process in psutil.wait_procs(runs, _END_TIMEOUT)[1]:
        process.kill()


def _owner(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(_OWNER)
    except psutil.Error:  # it has ended, or is another user's
        return None


@contextmanager
def _prefect(command: str, *arguments: str, **options: Any) -> Iterator[_Process]:
    """Run a `prefect` command for as long as the block lasts.

    It runs in a session of its own, because Ctrl-C goes to a whole process group at once, and the order matters here.
    """
    print(f"starting the {command}", flush=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", command, *arguments], start_new_session=True, **options
    )
    try:
        yield process
    finally:
        print(f"ending the {command}", flush=True)
        process.terminate()
        try:
            process.wait(_END_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
