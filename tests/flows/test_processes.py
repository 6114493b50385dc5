"""The processes of `make ui`: what a killed worker and Ctrl-C leave, and who can reach the server."""

import signal
from pathlib import Path

import httpx
import psutil
import pytest

from deployments.processes import server
from sentiment_pipeline.errors import PipelineError
from tests.conftest import PATIENCE, wait_until
from tests.flows.conftest import tiny_settings
from tests.flows.running_ui import Ui, client_of, environment, free_port, make_ui
from tests.flows.user import Prefect


def test_the_server_listens_on_this_machine_alone(ui: Ui) -> None:
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == ui.port
    }
    assert listening == {"127.0.0.1"}


def test_no_website_can_drive_the_server(ui: Ui) -> None:
    evil, own = {"Origin": "http://evil.example"}, {"Origin": ui.url}
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    with httpx.Client(base_url=ui.api) as browser:
        for origin, allowed in ((evil, None), (own, ui.url)):
            answer = browser.options("/flows/", headers={**origin, **preflight})
            assert answer.headers.get("access-control-allow-origin") == allowed
        assert browser.post("/flows/", json={"name": "theirs"}, headers=evil).status_code == 403  # without a token


def test_a_server_that_does_not_start_names_its_log(tmp_path: Path) -> None:
    broken = environment(PREFECT_HOME=str(tmp_path), PREFECT_SERVER_DATABASE_CONNECTION_URL="nonsense")
    with broken, pytest.raises(PipelineError, match=r"does not start; see .*server\.log"), server(free_port()):
        pass
    assert "Could not parse SQLAlchemy URL" in (tmp_path / "server.log").read_text()


def test_a_killed_worker_and_ctrl_c_let_runs_save_their_state_and_report(ui: Ui, tmp_path: Path, sample: Path) -> None:
    """A UI of its own, whose worker is killed, and which is ended during a training."""
    settings = tiny_settings(sample, tmp_path / "data")
    settings["training"] = {"epochs": 100_000, "batch_size": 64, "validate_every": 50}
    settings["runtime"]["checkpoint_every"] = 1_000_000
    checkpoints = tmp_path / "data/checkpoints"

    def steps() -> int:
        lines = (line for path in checkpoints.rglob("history.jsonl") for line in path.read_text().splitlines())
        return sum('"loss"' in line for line in lines)

    with make_ui(tmp_path, free_port(), ui.registered) as own, client_of(own) as client:
        prefect = Prefect(client)
        orphan = prefect.start("pipeline", settings=settings)
        wait_until(steps)
        processes = own.worker.children(recursive=True)
        own.worker.kill()
        assert prefect.wait(orphan).name == "Crashed"
        wait_until(lambda: not any(each.is_running() for each in processes))
        assert [*checkpoints.rglob("step-*.pt")], "the training was ended before it could save its state"
        wait_until(lambda: own.printed("starting the worker") == 2)

        before = steps()
        run = prefect.start("pipeline", settings=settings)
        wait_until(lambda: steps() > before)
        own.process.send_signal(signal.SIGINT)
        own.process.wait(PATIENCE)
    assert own.printed("ending a run") == 2
    with environment(PREFECT_HOME=str(own.home)), server(own.port), client_of(own) as client:
        state = client.read_flow_run(run.id).state
        assert state is not None
        assert state.is_final(), state
