import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.training.checkpoint import Checkpoints

IDENTITY = {"model.hidden": 8, "vocabulary_size": 50, "fingerprint": "abc"}


def state(step: int) -> dict[str, Any]:
    return {"model": {"weight": torch.full((3, 2), float(step))}, "progress": {"step": step, "best": {}}}


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    made = Checkpoints(tmp_path / "run", IDENTITY)
    for step in (5, 10, 100_000_000):
        made.save(step, state(step))
    return made


def step_of(checkpoints: Checkpoints) -> int | None:
    latest = checkpoints.latest()
    return None if latest is None else int(latest["model"]["weight"][0, 0])


def test_the_last_two_are_kept_and_the_last_is_read(checkpoints: Checkpoints) -> None:
    assert {path.name for path in checkpoints.folder.iterdir()} == {
        "step-00000010.pt",
        "step-00000010.json",
        "step-100000000.pt",
        "step-100000000.json",
    }
    assert step_of(checkpoints) == 100_000_000


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "nothing", IDENTITY).latest() is None


@pytest.mark.parametrize("suffix", [".pt", ".json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "missing"])
def test_a_damaged_one_is_skipped(
    checkpoints: Checkpoints, suffix: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = checkpoints.folder / f"step-100000000{suffix}"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    damages: dict[str, Callable[[], object]] = {
        "flip": lambda: path.write_bytes(content),
        "cut": lambda: path.write_bytes(content[:-3]),
        "empty": lambda: path.write_bytes(b""),
        "missing": path.unlink,
    }
    damages[damage]()
    with caplog.at_level(logging.WARNING):
        assert step_of(checkpoints) == 10
    if (suffix, damage) != (".json", "missing"):  # without its description it never counted
        assert "checkpoint step-100000000 is damaged" in caplog.text


def test_when_all_are_damaged_training_begins_anew(checkpoints: Checkpoints) -> None:
    for path in checkpoints.folder.glob("*.pt"):
        path.write_bytes(b"no")
    assert checkpoints.latest() is None


@pytest.mark.parametrize(("name", "value"), [("model.hidden", 16), ("vocabulary_size", 51), ("fingerprint", "abd")])
def test_one_of_another_run_is_refused_by_name(checkpoints: Checkpoints, name: str, value: object) -> None:
    with pytest.raises(PipelineError, match=f"{name} is .* there, '?{value}'? here"):
        Checkpoints(checkpoints.folder, {**IDENTITY, name: value}).latest()


def test_what_a_kill_leaves_behind_does_not_count(checkpoints: Checkpoints) -> None:
    half = checkpoints.folder / ".step-200000000.pt.123.tmp"
    half.write_bytes(b"half")
    orphan = checkpoints.folder / "step-200000000.pt"
    orphan.write_bytes(b"whole, but not described yet")
    assert step_of(checkpoints) == 100_000_000
    assert not half.exists()
    checkpoints.save(100_000_001, state(1))
    assert not orphan.exists()


def test_no_pickled_code_is_run(checkpoints: Checkpoints, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "harmed",)

    checkpoints.save(300_000_000, {"model": pickle.loads(pickle.dumps({"weight": torch.zeros(1, 1)}))})
    checkpoints.save(300_000_001, {"model": Evil()})
    assert step_of(checkpoints) == 0
    assert not (tmp_path / "harmed").exists()
