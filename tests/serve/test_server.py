"""`sentiment-pipeline serve` as a process: its address, its ready line, its end."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.serve import Address, serve, server
from tests.conftest import ROOT

TIMEOUT = 60


@contextmanager
def serving(model: Path, *options: str, **environment: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The process and its address, once it is ready."""
    with subprocess.Popen(
        [sys.executable, "-m", "sentiment_pipeline", "serve", "--model", str(model), "--port", "0", *options],
        cwd=ROOT,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # ignored if the suite is in the background
    ) as process:
        assert process.stderr
        ready = process.stderr.readline()
        found = re.fullmatch(r"serving (\S+) at (http://\S+) \(Ctrl-C ends it\)\n", ready)
        assert found, ready + process.stderr.read()
        assert found[1] == str(model)
        try:
            yield process, found[2]
        finally:
            process.kill()


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """The exit code, and what else it wrote on standard error."""
    assert process.stderr
    code = process.wait(TIMEOUT)
    return code, process.stderr.read()


def test_it_answers_until_a_signal_and_nothing_that_was_accepted_is_lost(model: Path) -> None:
    texts = [f"review {number}, {'good ' * 100}" for number in range(200)]

    async def ask(url: str, process: "subprocess.Popen[str]") -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT) as client, asyncio.timeout(TIMEOUT):
            asked = [asyncio.create_task(client.post("/predict", json={"texts": texts})) for _ in range(5)]
            while (await client.get("/health")).json()["waiting"] < 3 * len(texts):
                assert not all(each.done() for each in asked)
            process.send_signal(signal.SIGTERM)
            return await asyncio.gather(*asked)

    with serving(model) as (process, url):
        answers = asyncio.run(ask(url, process))
        assert ended(process) == (143, "")
    assert [len(each.json()) for each in answers if each.status_code == 200] == [200] * 5


def test_ctrl_c_ends_it_even_with_a_half_sent_request_open(model: Path) -> None:
    with serving(model) as (process, url):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as idle:
            idle.sendall(b"POST /predict HTTP/1.1\r\nHost: ")
            assert httpx.get(f"{url}/health").status_code == 200
            process.send_signal(signal.SIGINT)
            assert ended(process) == (130, "")
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health")


def test_the_token_may_come_from_the_environment(model: Path) -> None:
    with serving(model, "--host", "0.0.0.0", SENTIMENT_PIPELINE_TOKEN="secret") as (_, url):
        url = url.replace("0.0.0.0", "127.0.0.1")
        assert httpx.post(f"{url}/predict", json={"text": "a"}).status_code == 401
        token = {"Authorization": "Bearer secret"}
        assert httpx.post(f"{url}/predict", json={"text": "a"}, headers=token).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_a_token_other_machines_are_not_served(model: Path, host: str) -> None:
    with pytest.raises(SettingsError, match="--token .*SENTIMENT_PIPELINE_TOKEN"):
        serve(model, Address(host, 0))


@pytest.mark.parametrize("token", ["", "two words", "tab\t", "é"])
def test_a_token_that_no_header_can_hold_is_refused(model: Path, token: str) -> None:
    with pytest.raises(SettingsError, match="printable ASCII without spaces"):
        serve(model, Address(port=0, token=token))


def test_a_port_in_use_is_named(model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            PipelineError, match=rf"port {port} of 127\.0\.0\.1: address already in use; choose another"
        ):
            serve(model, Address(port=port))


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 300, ""])
def test_a_host_that_there_is_not_is_named(model: Path, host: str) -> None:
    with pytest.raises(PipelineError, match=rf"there is no host '{host}'"):
        serve(model, Address(host, 0, "token"))


def test_a_host_of_another_machine_is_named(model: Path) -> None:
    with pytest.raises(PipelineError, match=r"port 0 of 192\.0\.2\.1: .*; choose another"):
        serve(model, Address("192.0.2.1", 0, "token"))


def test_answers_are_sent_at_once() -> None:
    """Nagle's algorithm would hold the body of an answer back until its head is acknowledged, 40 ms later."""
    place = ("127.0.0.1", 0)
    with (
        server._listen(Address(port=0), socket.AF_INET, place) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
