"""A stand-in for the Hugging Face Hub: what its client asks of it to make a repository, commit files and read them."""

import base64
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["TOKEN", "Hub", "running_hub", "use_hub"]

TOKEN = "hf_a_token"


class Hub(ThreadingHTTPServer):
    """The server.

    Attributes:
        repositories: the files of each repository, by its name and theirs.
        created: the body of each request to create a repository.
        large: contents that were uploaded apart from their commit, by their SHA-256.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.created: list[dict[str, Any]] = []
        self.large: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._body()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"error": "Invalid username or password."})
        elif self.path == "/api/repos/create":
            wanted = json.loads(body)
            self.server.created.append(wanted)
            name = "/".join(part for part in (wanted.get("organization"), wanted["name"]) if part)
            self.server.repositories.setdefault(name, {})
            self._answer(200, {"url": f"{self.server.url}/{name}"})
        elif self.path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            modes = [_mode_of(each) for each in json.loads(body)["files"]]
            self._answer(200, {"files": modes})
        elif self.path.endswith("/info/lfs/objects/batch"):
            objects = [self._upload_of(each) for each in json.loads(body)["objects"]]
            self._answer(200, {"transfer": "basic", "objects": objects})
        elif "/commit/" in self.path:
            self._commit(self.path.split("/commit/")[0].removeprefix("/api/models/"), body)
        else:
            self._answer(404, {"error": self.path})

    def do_PUT(self) -> None:
        body = self._body()
        assert hashlib.sha256(body).hexdigest() == self.path.rpartition("/")[2]
        self.server.large[self.path.rpartition("/")[2]] = body
        self._answer(200, {})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.removeprefix("/")
        asked = re.fullmatch(r"(?:api/models/)?([^/]+/[^/]+)(?:/(revision|tree|resolve)/[^/]+(?:/(.+))?)?", path)
        files = self.server.repositories.get(asked[1]) if asked else None
        if asked is None or files is None:
            self._answer(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        elif asked[2] == "resolve":
            headers = {"ETag": f'"{_sha(files[asked[3]])}"', "X-Repo-Commit": self._commit_of(asked[1])}
            self._send(200, files[asked[3]], headers)
        elif asked[2] == "tree":
            self._answer(200, [_listed(name, content) for name, content in files.items()])
        else:
            siblings = [{"rfilename": name} for name in files]
            self._answer(200, {"id": asked[1], "sha": self._commit_of(asked[1]), "siblings": siblings})

    def _commit(self, name: str, body: bytes) -> None:
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                self.server.repositories[name][value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                self.server.repositories[name][value["path"]] = self.server.large[value["oid"]]
        self._answer(200, {"commitUrl": f"{self.server.url}/{name}/commit/1", "commitOid": self._commit_of(name)})

    def _commit_of(self, name: str) -> str:
        files = self.server.repositories[name]
        return _sha(json.dumps({each: _sha(content) for each, content in files.items()}).encode())

    def _upload_of(self, wanted: dict[str, Any]) -> dict[str, Any]:
        return {**wanted, "actions": {"upload": {"href": f"{self.server.url}/large/{wanted['oid']}"}}}

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, code: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self._send(code, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _send(self, code: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the output of the tests clean."""


@contextmanager
def running_hub() -> Iterator[Hub]:
    with Hub() as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        try:
            yield hub
        finally:
            hub.shutdown()


def use_hub(url: str, home: Path, token: str) -> None:
    """Set the environment of a new process before the client is imported, which reads it once."""
    os.environ.update(HF_ENDPOINT=url, HF_HOME=str(home), HF_TOKEN=token, HF_HUB_DISABLE_XET="1")


def _sha(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def _listed(name: str, content: bytes) -> dict[str, Any]:
    return {"type": "file", "path": name, "size": len(content), "oid": _sha(content)}


def _mode_of(file: dict[str, Any]) -> dict[str, Any]:
    """Weights are uploaded apart, as the Hub wants large files."""
    mode = "lfs" if file["path"].endswith(".safetensors") else "regular"
    return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": None}
