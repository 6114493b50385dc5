import io
import time

import pytest
from rich.console import Console

from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.stage import Outcome
from sentiment_pipeline.engine.step import Condition, Step, StepState
from sentiment_pipeline.progress import BarObserver, PlainObserver, figures_line, terminal_observer

STEP = Step("encode/0", lambda: {}, {}, {}, ())
STALE, NEW = StepState(Condition.STALE, "model.hidden: 8 -> 16"), StepState(Condition.UNFINISHED, "not done yet")


def manifest(**facts: int) -> Manifest:
    return Manifest("encode/0", {}, {}, facts)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(PlainObserver, "interval", 0.0)
    return []


def test_plain_lines_tell_reviews_speed_and_time_left(lines: list[str]) -> None:
    watching = PlainObserver(lines.append)
    watching.planned("encode", [(STEP, STALE), (STEP, STALE), (STEP, NEW)], 1)
    time.sleep(0.01)
    watching.performed("encode", manifest(reviews=1000, bytes=5_000_000))
    watching.ended("encode", Outcome(3, 1, 2.5))
    assert lines[0] == "encode: 2 steps stale, model.hidden: 8 -> 16"
    assert lines[1].startswith("encode: 1 of 3 steps, 1,000 reviews, ")
    assert " MB/s, " in lines[1]
    assert lines[1].endswith(" s left")
    assert lines[2] == "encode: 3 steps done in 2.5 s, 1 step finished before"


def test_a_step_without_reviews_leaves_no_gap(lines: list[str]) -> None:
    watching = PlainObserver(lines.append)
    watching.planned("tokenize", [(STEP, NEW)], 0)
    watching.performed("tokenize", manifest())
    assert lines == ["tokenize: 1 of 1 steps, 0 s left"]


def test_plain_lines_come_no_more_often_than_wanted(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlainObserver, "interval", 60.0)
    watching = PlainObserver(lines.append)
    watching.planned("encode", [(STEP, NEW)] * 5, 0)
    for _ in range(5):
        watching.performed("encode", manifest(reviews=10))
    watching.ended("encode", Outcome(0, 5, 0.1))
    assert lines == ["encode: nothing to do, 5 steps finished before"]


def test_a_bar_moves_with_steps_and_with_figures() -> None:
    screen = io.StringIO()
    watching = BarObserver(Console(file=screen, force_terminal=True, width=150, highlight=False))
    watching.planned("encode", [(STEP, NEW)] * 2, 0)
    watching.performed("encode", manifest(reviews=1000, bytes=5_000_000))
    assert watching.bars.tasks[0].completed == 1
    assert "1,000 reviews" in watching.bars.tasks[0].fields["text"]
    watching.ended("encode", Outcome(2, 0, 1.0))
    assert not watching.bars.tasks
    watching.progressed("trial", {"step": 30, "steps": 120, "loss": 0.25})  # what is no stage gets a bar too
    assert (watching.bars.tasks[0].completed, watching.bars.tasks[0].total) == (30, 120)
    watching.close()
    assert "encode: 2 steps done in 1.0 s" in screen.getvalue()


def test_figures_are_written_as_people_write_them() -> None:
    assert figures_line(
        {"step": 3000, "reviews_per_s": 12345.678, "loss": 0.123456, "memory_bytes": 1_234_000_000}
    ) == ("step 3,000, reviews per s 12,346, loss 0.1235, memory 1.23 GB")


def test_where_no_one_watches_there_are_lines() -> None:
    assert type(terminal_observer()) is PlainObserver
