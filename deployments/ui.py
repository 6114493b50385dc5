"""The Prefect UI of this project in one command: `make ui`, or `python -m deployments.ui --port 4321`.

It starts a server on 127.0.0.1 that keeps its data in the project (`PREFECT_HOME`, default: `.prefect/`), registers the
work pool, the deployments and the automations, and starts a worker. Ctrl-C ends the runs, which save their state, then
the worker, then the server; in another order the runs could not report their end. If `PREFECT_API_URL` is set, the same
is registered at that server, and none is started here.
"""

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from deployments.processes import run_worker, server
from deployments.registration import POOL, PROJECT, register
from sentiment_pipeline.console import exit_in_one_line
from sentiment_pipeline.openmp import OPENMP_WAIT

__all__ = ["app"]

_RESTART_DELAY = 5.0  # seconds before a worker that was killed is replaced

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="The port of the server.")] = 4200) -> None:
    """Serve the Prefect UI and run what is started there, until Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job and its children ignore it otherwise
    _set_environment()
    with ExitStack() as stack:
        own_server = stack.enter_context(server(port)) if "PREFECT_API_URL" not in os.environ else None
        register()
        print(f"\nPrefect UI: {os.environ['PREFECT_API_URL'].removesuffix('/api')}   (Ctrl-C ends it)\n", flush=True)
        while True:
            run_worker(POOL, own_server)
            time.sleep(_RESTART_DELAY)


def _set_environment() -> None:
    """Set what Prefect reads, here and in the processes that are started. What the user has set is kept."""
    os.chdir(PROJECT)
    home = Path(os.environ.get("PREFECT_HOME", PROJECT / ".prefect")).resolve()
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {"PREFECT_HOME": str(home), "PREFECT_PROFILES_PATH": str(home / "profiles.toml")}
    os.environ |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", **OPENMP_WAIT} | os.environ


if __name__ == "__main__":
    exit_in_one_line(app)
