import builtins
import bz2
import errno
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from sentiment_pipeline.download import _DATASET, download
from sentiment_pipeline.errors import PipelineError
from tests.conftest import PATIENCE

FILES = ("train.ft.txt.bz2", "test.ft.txt.bz2")
TEXT = bz2.compress(b"__label__2 good\n")


class Kaggle(ModuleType):
    """A fake kagglehub that returns `content`, or raises it."""

    def __init__(self, cache: Path, content: bytes | Exception) -> None:
        super().__init__("kagglehub")
        self.cache, self.content = cache, content
        self.requested: list[str] = []

    def dataset_download(self, handle: str, path: str) -> str:
        assert handle == _DATASET
        self.requested.append(path)
        if isinstance(self.content, Exception):
            raise self.content
        (self.cache / path).write_bytes(self.content)
        return str(self.cache / path)


def kaggle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | Exception) -> Kaggle:
    cache = tmp_path / "cache"
    cache.mkdir()
    module = Kaggle(cache, content)
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    return module


def test_both_files_are_put_into_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = kaggle(monkeypatch, tmp_path, TEXT)
    folder = tmp_path / "new" / "folder"
    download(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert all((folder / name).read_bytes() == TEXT for name in FILES)
    download(folder)
    assert module.requested == list(FILES), "existing files are not downloaded again"


class CredentialError(Exception):
    pass


def response(status: int) -> OSError:
    error: Any = OSError("a response")
    error.response = SimpleNamespace(status_code=status)
    return error


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (OSError("HTTPSConnectionPool(...)"), "Kaggle cannot be reached; check the network"),
        (response(403), "KAGGLE_USERNAME and KAGGLE_KEY"),
        (response(503), "Kaggle responded with status 503"),
        (CredentialError("no token\nat all"), "KAGGLE_USERNAME and KAGGLE_KEY"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
        (ValueError("two\nlines"), "two lines"),
        (b"<html>Sign in</html>", "what Kaggle sent is not a .bz2 file"),
    ],
)
def test_a_failure_is_one_line_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | Exception, reason: str
) -> None:
    kaggle(monkeypatch, tmp_path, content)
    with pytest.raises(PipelineError) as caught:
        download(tmp_path / "folder")
    line = str(caught.value)
    assert reason in line
    assert "\n" not in line
    assert line.startswith("cannot download train.ft.txt.bz2 from Kaggle: ")
    assert f"https://www.kaggle.com/datasets/{_DATASET} into {tmp_path / 'folder'}" in line
    assert not (tmp_path / "folder").exists()


def test_without_kagglehub_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "kagglehub":
            raise ModuleNotFoundError(name)
        return imported(name, *arguments, **options)

    imported = builtins.__import__
    monkeypatch.delitem(sys.modules, "kagglehub", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(PipelineError, match="pip install kagglehub"):
        download(tmp_path)


def test_the_real_kagglehub_without_a_network(tmp_path: Path) -> None:
    """All connections go to a proxy that does not exist, so that the test works with a network, too."""
    nowhere = dict.fromkeys(
        ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9"
    )
    environment = {**os.environ, **nowhere, "NO_PROXY": "", "no_proxy": "", "KAGGLEHUB_CACHE": str(tmp_path / "cache")}
    program = (
        "import sys; from pathlib import Path; from sentiment_pipeline.download import download\n"
        "try: download(Path(sys.argv[1]))\nexcept Exception as error: print(type(error).__name__, error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "folder")],
        env=environment,
        text=True,
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    assert "PipelineError cannot download train.ft.txt.bz2 from Kaggle: Kaggle cannot be reached" in result.stdout
    assert not (tmp_path / "folder").exists()


def test_a_file_that_exists_is_kept_and_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = kaggle(monkeypatch, tmp_path, TEXT)
    (tmp_path / FILES[0]).write_bytes(b"perhaps synthetic")
    assert download(tmp_path) == [tmp_path / FILES[0]]
    assert module.requested == [FILES[1]]
    assert (tmp_path / FILES[0]).read_bytes() == b"perhaps synthetic"
