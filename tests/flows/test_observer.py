"""What goes to the log and to the progress artifacts while stages run."""

import logging
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from flows import observer
from flows.observer import FlowObserver, Observers
from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.stage import Outcome
from sentiment_pipeline.engine.step import Condition, Step, StepState

BAR = uuid4()


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """The progress and description of each creation and update of a progress artifact."""
    requests: list[tuple[float, str]] = []

    def create(progress: float, key: str, description: str) -> UUID:
        requests.append((progress, description))
        return BAR

    def update(bar: UUID, progress: float, description: str) -> None:
        assert bar == BAR
        requests.append((progress, description))

    monkeypatch.setattr(observer, "create_progress_artifact", create)
    monkeypatch.setattr(observer, "update_progress_artifact", update)
    monkeypatch.setattr(observer, "get_run_logger", lambda: logging.getLogger("run"))
    monkeypatch.setattr(FlowObserver, "refresh", 0.0)
    return requests


def planned(count: int) -> list[tuple[Step, StepState]]:
    return [
        (Step(f"encode/{number}", dict, {}, {}, ()), StepState(Condition.STALE, "model.hidden: 8 -> 16"))
        for number in range(count)
    ]


def test_the_bar_moves_with_the_steps(
    bars: list[tuple[float, str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watching = FlowObserver(tmp_path)
    with caplog.at_level("INFO"):
        watching.planned("encode", planned(4), 2)
        for number in range(4):
            watching.performed("encode", Manifest(f"encode/{number}", {}, {}, {"reviews": 1000}))
        watching.ended("encode", Outcome(4, 2, 1.5))
    assert [progress for progress, _ in bars] == [0, 25, 50, 75, 100, 100]
    assert "4 of 4 steps, 4,000 reviews" in bars[-2][1]
    assert bars[-1][1] == "encode: done in 1.5 s"
    assert "4 steps stale, model.hidden: 8 -> 16" in caplog.text


def test_updates_are_throttled(bars: list[tuple[float, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FlowObserver, "refresh", 1000.0)
    watching = FlowObserver(tmp_path)
    watching.planned("encode", planned(4), 0)
    for number in range(4):
        watching.performed("encode", Manifest(f"encode/{number}", {}, {}, {}))
    watching.ended("encode", Outcome(4, 0, 1.5))
    assert [progress for progress, _ in bars][-1] == 100
    assert len(bars) <= 3


def test_training_moves_its_bar_by_its_steps(bars: list[tuple[float, str]], tmp_path: Path) -> None:
    watching = FlowObserver(tmp_path)
    watching.planned("train", planned(1), 0)
    watching.progressed("train", {"step": 30, "steps": 120, "loss": 0.25})
    assert bars[-1] == (25.0, "train: step 30, steps 120, loss 0.25")


def test_a_skipped_stage_has_no_bar(bars: list[tuple[float, str]], tmp_path: Path) -> None:
    watching = FlowObserver(tmp_path)
    watching.planned("encode", [], 6)
    watching.ended("encode", Outcome(0, 6, 0.1))
    assert bars == []


def test_an_artifact_that_cannot_be_created_fails_nothing(
    bars: list[tuple[float, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable(*arguments: object, **named: object) -> UUID:
        raise ConnectionError("no server")

    monkeypatch.setattr(observer, "create_progress_artifact", unreachable)
    watching = FlowObserver(tmp_path)
    watching.planned("encode", planned(1), 0)
    watching.performed("encode", Manifest("encode/0", {}, {}, {}))
    watching.ended("encode", Outcome(1, 0, 0.1))
    assert "artifact not created: ConnectionError: no server" in caplog.text


def test_each_observer_sees_everything(tmp_path: Path) -> None:
    seen: list[tuple[str, Any]] = []

    class Recorder:
        def __getattr__(self, event: str) -> Any:
            return lambda *values: seen.append((event, values))

    recorder: Any = Recorder()
    events: dict[str, tuple[Any, ...]] = {
        "planned": ("encode", [], 3),
        "performed": ("encode", Manifest("encode/0", {}, {}, {})),
        "progressed": ("train", {"step": 1}),
        "ended": ("encode", Outcome(1, 0, 0.1)),
    }
    for event, values in events.items():
        getattr(Observers(recorder, recorder), event)(*values)
    assert seen == [pair for pair in events.items() for _ in range(2)]
