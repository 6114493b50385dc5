"""The Prefect UI of this project in one command: `make ui`, or `python -m deployments.ui --port 4321`.

Starts a server on 127.0.0.1 with its data in the project (`PREFECT_HOME`, by default `.prefect/`), registers the
work pool, the deployments and the automations, and starts a worker. Ctrl-C ends the runs, which save their state, then
the worker, and then the server; in another order the runs could not report their end. Where `PREFECT_API_URL` names a
server of yours, the same is done there and no server is started.
"""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
import yaml

from flows import server_address
from sentiment_pipeline.console import exit_in_one_line
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.openmp import OPENMP_WAIT

FOLDER = Path(__file__).parent
PROJECT = FOLDER.parent
POOL = "local"
STARTING = 120  # seconds a server may take to answer on a slow machine
ENDING = 40  # seconds to end in, for the runs and for the worker
OWNER = "SENTIMENT_PIPELINE_UI"  # the process whose runs these are, in their environment
AGAIN = 5.0  # seconds before a worker that was killed is replaced

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535)] = 4200) -> None:
    """Serve the Prefect UI and run what is started there, until Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job is born deaf to it, and so its children
    set_environment()
    with ExitStack() as running:
        started = running.enter_context(server(port)) if "PREFECT_API_URL" not in os.environ else None
        register()
        print(f"\nPrefect UI: {os.environ['PREFECT_API_URL'].removesuffix('/api')}   (Ctrl-C ends it)\n", flush=True)
        while True:
            work(started)
            time.sleep(AGAIN)


def work(server: "subprocess.Popen[bytes] | None") -> None:
    """Keep a worker running until it is killed; its runs are ended with it, because no one else could cancel them.

    Raises:
        PipelineError: the worker has ended by itself, or the server has ended.
    """
    with process("worker", "worker", "start", "--pool", POOL, "--name", POOL) as worker:
        try:
            while worker.poll() is None:
                if server is not None and server.poll() is not None:
                    raise PipelineError("the Prefect server has ended; server.log in its home says why")
                time.sleep(1)
        finally:
            end_runs()
    if worker.returncode >= 0:
        raise PipelineError("the worker has ended by itself; its last lines above say why")


def end_runs() -> None:
    """Let the runs that were started from here save their state and report, then end them."""
    runs = [
        each
        for each in psutil.process_iter(["cmdline"])
        if "prefect.engine" in (each.info["cmdline"] or ()) and owner_of(each) == str(os.getpid())
    ]
    for each in runs:
        print("ending a run", flush=True)
        each.terminate()
    for each in psutil.wait_procs(runs, ENDING)[1]:
        each.kill()


def owner_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(OWNER)
    except psutil.Error:  # it has ended, or is another user's
        return None


def set_environment() -> None:
    """What Prefect is to know, here and in the processes that are started; what the user has set stays."""
    os.chdir(PROJECT)
    home = Path(os.environ.setdefault("PREFECT_HOME", str(PROJECT / ".prefect"))).resolve()
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "SENTIMENT_PIPELINE_FOLDER": str(PROJECT),
        OWNER: str(os.getpid()),
    }
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.update({**OPENMP_WAIT, **os.environ})


@contextmanager
def server(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A server on 127.0.0.1 for as long as the block lasts; sets `PREFECT_API_URL`.

    Raises:
        PipelineError: the port is taken, or the server does not start.
    """
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise PipelineError(f"port {port} is in use; end what uses it, or choose another: make ui PORT={port + 1}")
    address = f"http://127.0.0.1:{port}"
    os.environ["PREFECT_API_URL"] = f"{address}/api"
    # Or any website in the browser of someone here could start runs: Prefect's own defaults let all origins in.
    os.environ.setdefault("PREFECT_SERVER_CORS_ALLOWED_ORIGINS", address)
    os.environ.setdefault("PREFECT_SERVER_CSRF_PROTECTION_ENABLED", "true")
    log = Path(os.environ["PREFECT_HOME"], "server.log")
    with (
        log.open("w") as output,
        process(
            "server",
            "server",
            "start",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as started,
    ):
        deadline = time.monotonic() + STARTING
        while not server_address.healthy(os.environ["PREFECT_API_URL"]):
            if started.poll() is not None or time.monotonic() > deadline:
                raise PipelineError(f"the Prefect server does not start; {log} says why")
            time.sleep(0.2)
        note = Path(os.environ["PREFECT_HOME"], server_address.FILE)
        note.write_text(os.environ["PREFECT_API_URL"])
        try:
            yield started
        finally:
            note.unlink(missing_ok=True)


@contextmanager
def process(name: str, *arguments: str, **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A `prefect` command that lasts as long as the block, and no longer.

    In a session of its own, because Ctrl-C goes to a whole process group at once and the order matters here.
    """
    print(f"starting the {name}", flush=True)
    started = subprocess.Popen([sys.executable, "-m", "prefect", *arguments], start_new_session=True, **options)
    try:
        yield started
    finally:
        print(f"ending the {name}", flush=True)
        started.terminate()
        try:
            started.wait(ENDING)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def register() -> None:
    """Register the work pool, the deployments and the automations, where they are not there as they should be.

    What is there already is left alone, with all that people have changed of it in the UI.
    """
    from prefect.automations import AutomationCore
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    deployments = yaml.safe_load((FOLDER / "prefect.yaml").read_text())["deployments"]
    version = os.environ["SENTIMENT_PIPELINE_DEPLOYMENTS"] = fingerprint(deployments)
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(POOL)
        except ObjectNotFound:
            prefect("work-pool", "create", POOL, "--type", "process")
        known = sum(each.version == version for each in client.read_deployments()) == len(deployments)
        if not known:
            prefect("--no-prompt", "deploy", "--all", "--prefect-file", str(FOLDER / "prefect.yaml"))
        for values in yaml.safe_load((FOLDER / "automations.yaml").read_text())["automations"]:
            same_name = client.read_automations_by_name(values["name"])
            if not (known and same_name):
                for each in same_name:
                    client.delete_automation(each.id)
                client.create_automation(AutomationCore(**values))


def fingerprint(deployments: Sequence[Mapping[str, Any]]) -> str:
    """What the deployments are made of, as a short hash, their version; not the code, which is read at each run."""
    from prefect.utilities.callables import parameter_schema
    from prefect.utilities.importtools import import_object

    digest = hashlib.sha256(str(PROJECT).encode())
    for path in sorted(FOLDER.glob("*.yaml")):
        digest.update(path.read_bytes())
    for each in deployments:
        form = parameter_schema(import_object(each["entrypoint"])).model_dump()
        digest.update(json.dumps(form, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:12]


def prefect(*arguments: str) -> None:
    """Run a `prefect` command to its end.

    Raises:
        PipelineError: it fails; with what it said.
    """
    done = subprocess.run([sys.executable, "-m", "prefect", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PipelineError(f"prefect {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout.strip()}")


if __name__ == "__main__":
    exit_in_one_line(app)
