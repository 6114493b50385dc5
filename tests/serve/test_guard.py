"""The guard alone, before an application that answers with what it was sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sentiment_pipeline.serve.guard import Guard
from sentiment_pipeline.serve.limits import Limits

LIMITS = Limits(body=1000, seconds=20)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await Response(body)(scope, receive, send)


def request(
    method: str = "POST",
    *,
    token: str | None = None,
    loopback: bool = True,
    url: str = "http://127.0.0.1:8000/predict",
    limits: Limits = LIMITS,
    content: bytes | AsyncIterator[bytes] = b"body",
    **headers: Any,
) -> httpx.Response:
    async def answer() -> httpx.Response:
        guard = Guard(echo, limits, token, loopback)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(guard)) as client:
            return await client.request(method, url, content=content, headers=headers)

    return asyncio.run(answer())


async def pieces(count: int, seconds: float = 0) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(seconds)
        yield b"x" * 100


def test_a_request_is_let_through_with_its_body() -> None:
    answer = request()
    assert (answer.status_code, answer.content) == (200, b"body")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert request(content=pieces(10)).content == b"x" * 1000


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:80", "LOCALHOST", "[::1]:8000"])
def test_on_loopback_its_own_names_are_answered(host: str) -> None:
    assert request(host=host).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8000", "evil.example:127", "user@evil.example", "[", "", "0.0.0.0"]
)
def test_on_loopback_other_names_are_refused(host: str) -> None:
    for method in ("GET", "POST"):
        answer = request(method, host=host)
        assert answer.status_code == 421
        assert "127.0.0.1 and localhost" in answer.json()["detail"]


def test_beyond_loopback_any_name_is_answered() -> None:
    assert request(loopback=False, token="t", authorization="Bearer t", host="model.example").status_code == 200


@pytest.mark.parametrize("loopback", [True, False])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1:9000", "http://127.0.0.1"])
def test_pages_of_other_sites_are_refused(origin: str, loopback: bool) -> None:
    answer = request(loopback=loopback, origin=origin)
    assert answer.status_code == 403
    assert "other sites" in answer.json()["detail"]
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "https://127.0.0.1:8000"])
def test_the_page_of_this_server_is_answered(origin: str) -> None:
    assert request(origin=origin).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer secret2",
        "Bearer secre",
        "Basic secret",
        "secret",
        "Bearer sécret",
    ],
)
def test_without_the_token_nothing_is_scored(header: str | None) -> None:
    headers: dict[str, Any] = {} if header is None else {"authorization": header.encode()}
    answer = request(token="secret", **headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer" in answer.json()["detail"]


def test_with_the_token_it_is_and_the_page_needs_none() -> None:
    assert request(token="secret", authorization="Bearer secret").status_code == 200
    assert request(token="secret", authorization="bearer  secret").status_code == 200
    assert request("GET", token="secret", content=b"").status_code == 200


def test_a_body_that_is_too_large_is_not_read() -> None:
    for content in (b"x" * 1001, pieces(11)):
        answer = request(content=content)
        assert answer.status_code == 413
        assert answer.json() == {"detail": "a request has at most 1,000 bytes"}
    claimed: dict[str, Any] = {"content-length": "9" * 5000}
    assert request(**claimed).status_code == 413


def test_a_body_that_never_arrives_is_given_up() -> None:
    answer = request(content=pieces(2, 60), limits=Limits(body=1000, seconds=0.05))
    assert answer.status_code == 408
    assert answer.json() == {"detail": "the request took longer than 0.05 s to arrive"}
