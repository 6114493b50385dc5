"""What goes to the log and to the progress artifacts while stages run."""

import logging
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from flows import observer
from flows.observer import FlowObserver, ObserverPair
from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.stage import Outcome, Run
from sentiment_pipeline.engine.step import Condition, Step, StepState

BAR = uuid4()


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """What progress artifacts are told."""
    told: list[tuple[float, str]] = []

    def create(progress: float, key: str, description: str) -> UUID:
        told.append((progress, description))
        return BAR

    def update(bar: UUID, progress: float, description: str) -> None:
        assert bar == BAR
        told.append((progress, description))

    monkeypatch.setattr(observer, "create_progress_artifact", create)
    monkeypatch.setattr(observer, "update_progress_artifact", update)
    monkeypatch.setattr(observer, "get_run_logger", lambda: logging.getLogger("run"))
    monkeypatch.setattr(FlowObserver, "refresh", 0.0)
    return told


def planned(count: int) -> list[tuple[Step, StepState]]:
    return [
        (Step(f"encode/{number}", print, {}, {}, ()), StepState(Condition.STALE, "model.hidden: 8 -> 16"))
        for number in range(count)
    ]


def test_the_bar_moves_with_the_steps(
    bars: list[tuple[float, str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watching = FlowObserver(Run(tmp_path, None))
    with caplog.at_level("INFO"):
        watching.planned("encode", planned(4), 2)
        for number in range(4):
            watching.performed("encode", Manifest(f"encode/{number}", {}, {}, {"reviews": 1000}))
        watching.ended("encode", Outcome(0, 6, 1.5))
    assert [progress for progress, _ in bars] == [0, 25, 50, 75, 100, 100]
    assert "4 of 4 steps, 4,000 reviews" in bars[-2][1]
    assert "4 steps stale, model.hidden: 8 -> 16" in caplog.text


def test_training_moves_its_bar_by_its_steps(bars: list[tuple[float, str]], tmp_path: Path) -> None:
    watching = FlowObserver(Run(tmp_path, None))
    watching.planned("train", planned(1), 0)
    watching.progressed("train", {"step": 30, "steps": 120, "loss": 0.25})
    assert bars[-1] == (25.0, "train: step 30, steps 120, loss 0.25")


def test_a_skipped_stage_has_no_bar(bars: list[tuple[float, str]], tmp_path: Path) -> None:
    watching = FlowObserver(Run(tmp_path, None))
    watching.planned("encode", [], 6)
    watching.ended("encode", Outcome(0, 6, 0.1))
    assert bars == []


def test_what_cannot_be_shown_fails_nothing(
    bars: list[tuple[float, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable(*arguments: object, **named: object) -> UUID:
        raise ConnectionError("no server")

    monkeypatch.setattr(observer, "create_progress_artifact", unreachable)
    watching = FlowObserver(Run(tmp_path, None))
    watching.planned("encode", planned(1), 0)
    watching.performed("encode", Manifest("encode/0", {}, {}, {}))
    watching.ended("encode", Outcome(1, 0, 0.1))
    assert "not shown: ConnectionError: no server" in caplog.text


def test_both_hear_everything() -> None:
    heard: list[Any] = []

    class Hearing:
        def planned(self, *values: Any) -> None:
            heard.append(values)

    first: Any = Hearing()
    ObserverPair(first, first).planned("encode", [], 3)
    assert heard == [("encode", [], 3)] * 2
