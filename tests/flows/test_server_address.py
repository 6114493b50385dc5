"""How runs in a terminal find a running `make ui`."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from flows.server_address import announce, is_healthy, running_ui


class Handler(BaseHTTPRequestHandler):
    """Answers as Prefect's server does, and nothing at any other path."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.05,)).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


def test_an_announced_server_is_found_while_it_answers(api: str, tmp_path: Path) -> None:
    assert running_ui(tmp_path) is None
    with announce(tmp_path, api):
        assert running_ui(tmp_path) == api
    assert running_ui(tmp_path) is None


def test_the_announcement_of_a_killed_server_is_ignored(api: str, tmp_path: Path) -> None:
    with announce(tmp_path, "http://127.0.0.1:9/api"):
        assert running_ui(tmp_path) is None


def test_only_an_answer_of_200_is_healthy(api: str) -> None:
    assert is_healthy(api)
    assert not is_healthy(api.removesuffix("/api"))
