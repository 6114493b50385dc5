"""The process: its address, the line that says it is ready, and an end that answers what was accepted."""

import ipaddress
import os
import socket
import sys
from dataclasses import dataclass
from typing import Any

import torch
import uvicorn

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.paths import StrPath
from sentiment_pipeline.predict import Predictor
from sentiment_pipeline.serve.app import make_app
from sentiment_pipeline.serve.limits import Limits

__all__ = ["Address", "serve"]

_KEEP_ALIVE = 65  # seconds; longer than the 60 after which clients and proxies usually close an idle connection


@dataclass(frozen=True)
class Address:
    """Where the server listens, and who may use it.

    Attributes:
        host: a name or an address.
        port: 0 for any that is free.
        token: what requests to score must bring; None: nothing, which is allowed on a loopback address alone.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None


def serve(model: StrPath, address: Address, limits: Limits | None = None) -> None:
    """Serve a model until SIGINT or SIGTERM, after which what was accepted is answered and the signal raised again.

    Raises:
        SettingsError: the token is none, or the address is not a loopback one and there is no token.
        PipelineError: the model folder is damaged, or the address cannot be listened on.
    """
    limits = limits or Limits()
    _check_token(address.token)
    family, place = _resolve(address)
    loopback = ipaddress.ip_address(place[0].partition("%")[0]).is_loopback
    if not loopback and address.token is None:
        raise SettingsError(
            f"--host {address.host} lets other machines use the model; give a --token that they must bring, "
            "or set SENTIMENT_PIPELINE_TOKEN"
        )
    with _listen(address, family, place) as listening:
        torch.set_num_threads(max(1, torch.get_num_threads() - 1))  # one core is left for HTTP
        predictor = Predictor(model)
        predictor.explain(["a"])  # what is made at the first use: the tokenizer, the kernels
        config = uvicorn.Config(
            make_app(predictor, limits, address.token, loopback),
            http="h11",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=int(2 * limits.seconds) + 1,
        )
        _Server(config, f"serving {model} at {_url(listening)} (Ctrl-C ends it)").run([listening])


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._ready, file=sys.stderr, flush=True)


def _check_token(token: str | None) -> None:
    if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
        raise SettingsError("the token must be printable ASCII without spaces, and not empty; choose another --token")


def _resolve(address: Address) -> tuple[int, Any]:
    """The address family, and the address as sockets take it.

    Raises:
        PipelineError: there is no such host.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        return family, place
    except (OSError, UnicodeError) as error:
        raise PipelineError(f"there is no host '{address.host}' to listen on; choose another --host") from error


def _listen(address: Address, family: int, place: Any) -> socket.socket:
    """A socket that listens.

    Raises:
        PipelineError: the port is in use or not allowed, or the host is none of this machine.
    """
    try:
        listening = socket.create_server(place, family=family, backlog=2048)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise PipelineError(
            f"cannot listen on port {address.port} of {address.host}: {reason}; choose another --port or --host"
        ) from error
    # Connections inherit it. asyncio sets it on sockets of its own alone; without it, an answer waits 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
