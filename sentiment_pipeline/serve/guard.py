"""What is refused before a route sees it: other sites' requests, strangers, and bodies that are too large or too slow.

A page of another site that is open in the user's browser can send requests to 127.0.0.1, and with a name of its own
that it lets point there (DNS rebinding) it could read the answers too. So on a loopback address the `Host` must be one,
and an `Origin`, which browsers send along, must be this server's.
"""

import asyncio
import hmac
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentiment_pipeline.serve.limits import Limits

__all__ = ["Guard"]

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_READING = ("GET", "HEAD", "OPTIONS")  # the page, its files, /health and /docs: nothing secret, nothing costly
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class _Refused(Exception):
    """A request is refused.

    Args:
        status: of the answer.
        detail: why, in a line.
        headers: of the answer.
    """

    def __init__(self, status: HTTPStatus, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.response = JSONResponse({"detail": detail}, status, {**headers, "Connection": "close"})


class Guard:
    """ASGI middleware: checks a request, reads its body, and adds headers to the answer that keep browsers safe.

    Args:
        app: what answers the requests that are let through.
        limits: of a request.
        token: what requests that change or cost something must bring as `Authorization: Bearer TOKEN`; None: nothing.
        loopback: whether the server listens on a loopback address.
    """

    def __init__(self, app: ASGIApp, limits: Limits, token: str | None, loopback: bool) -> None:
        self._app, self._limits, self._loopback = app, limits, loopback
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        try:
            headers = Headers(scope=scope)
            self._check_site(headers)
            self._check_token(headers, scope["method"])
            receive = await self._read(headers, receive)
        except _Refused as refused:
            await refused.response(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _check_site(self, headers: Headers) -> None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._loopback and _name_of(host) not in _LOOPBACK:
            raise _Refused(HTTPStatus.MISDIRECTED_REQUEST, "this server answers to 127.0.0.1 and localhost alone")
        if origin is not None and origin.partition("://")[2] != host:
            raise _Refused(HTTPStatus.FORBIDDEN, "requests from pages of other sites are refused")

    def _check_token(self, headers: Headers, method: str) -> None:
        if self._token is None or method in _READING:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            raise _Refused(
                HTTPStatus.UNAUTHORIZED,
                "a token is needed: send the header Authorization: Bearer TOKEN",
                **{"WWW-Authenticate": "Bearer"},
            )

    async def _read(self, headers: Headers, receive: Receive) -> Receive:
        """Read the body; what gives it to the routes."""
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self._limits.body:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._limits.seconds):
                body = await self._body(receive)
        except TimeoutError:
            raise _Refused(
                HTTPStatus.REQUEST_TIMEOUT, f"the request took longer than {self._limits.seconds:g} s to arrive"
            ) from None
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        return replay

    async def _body(self, receive: Receive) -> bytes:
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._limits.body:
                raise self._too_large()
        return bytes(body)

    def _too_large(self) -> _Refused:
        return _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {self._limits.body:,} bytes")


def _name_of(host: str) -> str | None:
    """The name or address in a `Host` header, without the port; None for none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
