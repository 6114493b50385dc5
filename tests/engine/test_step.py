from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.manifest import JSON, read
from sentiment_pipeline.engine.step import (
    Condition,
    ProgressCallback,
    Step,
    difference,
    no_progress,
    outputs_of,
    perform,
    step_state,
    upstream_digest,
)
from sentiment_pipeline.errors import PipelineError


def write(data_dir: Path, on_progress: ProgressCallback, text: str) -> Mapping[str, JSON]:
    on_progress({"letters": len(text)})
    write_text(data_dir / "out.txt", text)
    return {"length": len(text)}


def step(text: str = "text", **depends: JSON) -> Step:
    return Step("stage/step", write, {"text": text}, {"version": 1, **depends}, ("out.txt",))


def do_nothing(data_dir: Path, on_progress: ProgressCallback, text: str) -> Mapping[str, JSON]:
    return {}


def fail(data_dir: Path, on_progress: ProgressCallback, text: str) -> Mapping[str, JSON]:
    raise ValueError("no such text")


def test_a_performed_step_is_finished_until_something_changes(tmp_path: Path) -> None:
    state = step_state(tmp_path, step())
    assert (state.condition, state.reason, state.finished) == (Condition.UNFINISHED, "not done yet", False)
    manifest = perform(step(), tmp_path, no_progress)
    assert manifest.facts["length"] == 4
    assert manifest.facts["seconds"] >= 0
    assert read(tmp_path, "stage/step") == manifest
    assert step_state(tmp_path, step()).finished
    stale = step_state(tmp_path, step(vocabulary={"min_count": 3}))
    assert (stale.condition, stale.reason) == (Condition.STALE, "vocabulary: None -> {'min_count': 3}")
    other = step_state(tmp_path, replace(step(), outputs=("out.txt", "more.txt")))
    assert (other.condition, other.reason) == (Condition.STALE, "it publishes other files than before")


def test_the_figures_of_the_work_are_passed_on(tmp_path: Path) -> None:
    figures: list[Mapping[str, JSON]] = []
    perform(step(), tmp_path, figures.append)
    assert figures == [{"letters": 4}]


def test_a_step_that_read_a_damaged_file_is_not_recorded(tmp_path: Path) -> None:
    first = perform(step(), tmp_path, no_progress)
    second = replace(step(after="first"), name="stage/second", reads=outputs_of([first]), work=do_nothing)
    second = replace(second, outputs=())
    assert perform(second, tmp_path, no_progress).step == "stage/second"
    (tmp_path / "out.txt").write_text("tixt")
    for work in (do_nothing, fail):  # the damage is the reason of a failure, too
        third = replace(second, name="stage/third", work=work)
        with pytest.raises(PipelineError, match=r"out\.txt: damaged .*run again to rebuild it"):
            perform(third, tmp_path, no_progress)
        assert step_state(tmp_path, third).condition is Condition.UNFINISHED


def test_outputs_are_chosen_by_name(tmp_path: Path) -> None:
    first = perform(step(), tmp_path, no_progress)
    assert outputs_of([first], "out.txt") == outputs_of([first]) == first.outputs
    assert outputs_of([first], "other.txt") == {}


def test_a_damaged_output_or_manifest_is_not_finished(tmp_path: Path) -> None:
    perform(step(), tmp_path, no_progress)
    (tmp_path / "out.txt").write_text("tixt")
    damaged = step_state(tmp_path, step())
    assert damaged.condition is Condition.DAMAGED
    assert "out.txt" in damaged.reason
    perform(step(), tmp_path, no_progress)
    (tmp_path / layout.manifest("stage/step")).write_text("{")
    assert step_state(tmp_path, step()).condition is Condition.DAMAGED


def test_a_step_that_fails_leaves_no_manifest(tmp_path: Path) -> None:
    failing = replace(step(), work=fail)
    with pytest.raises(ValueError, match="no such text"):
        perform(failing, tmp_path, no_progress)
    assert step_state(tmp_path, failing).condition is Condition.UNFINISHED


def test_differences_name_the_setting_with_both_values() -> None:
    before = {"vocabulary": {"min_count": 2, "max_size": 0}, "input": "a" * 64, "gone": 1}
    now = {"vocabulary": {"min_count": 5, "max_size": 0}, "input": "b" * 64}
    assert difference(before, now) == "gone: 1 -> None; input changed; vocabulary.min_count: 2 -> 5"


def test_the_upstream_digest_changes_with_settings_and_bytes_but_not_with_facts(tmp_path: Path) -> None:
    first = upstream_digest([perform(step(), tmp_path, no_progress)])
    again = perform(step(), tmp_path, no_progress)
    assert upstream_digest([again]) == upstream_digest([replace(again, facts={"seconds": 9})]) == first
    assert upstream_digest([perform(step("other"), tmp_path, no_progress)]) != first
    assert upstream_digest([perform(step(seed=1), tmp_path, no_progress)]) != first
