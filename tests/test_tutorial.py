"""The Python of docs/tutorial.md runs from top to bottom, as a reader runs it, and makes what the page says."""

import time
from pathlib import Path

import pytest

from tests.documents import ROOT, Document

PAGE = ROOT / "docs/tutorial.md"
SECONDS = 60  # of this process's time: busy cores do not fail the test


def test_the_tutorial_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "tutorial"}
    start = time.process_time()
    for number, block in enumerate(Document.read(PAGE).blocks("python"), 1):
        exec(compile(block, f"docs/tutorial.md, block {number}", "exec"), names)
    assert time.process_time() - start < SECONDS
    assert (tmp_path / "data/report.html").stat().st_size > 10_000
    assert (tmp_path / "data/model/model.safetensors").exists()
    assert "docs/tutorial.md" in (ROOT / "README.md").read_text()
