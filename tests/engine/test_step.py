from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.manifest import JSON
from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.engine.step import Condition, Step, difference, outputs_of, perform, step_state, upstream_digest
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.layout import manifest


def write(data_dir: Path, report: object, text: str) -> Mapping[str, JSON]:
    write_text(data_dir / "out.txt", text)
    return {"length": len(text)}


def step(text: str = "text", **depends: JSON) -> Step:
    return Step("stage/step", write, {"text": text}, {"version": 1, **depends}, ("out.txt",))


def silently(data_dir: Path, report: object, text: str) -> Mapping[str, JSON]:
    return {}


def silent(values: object) -> None:
    pass


def test_a_performed_step_is_finished_until_something_changes(tmp_path: Path) -> None:
    assert step_state(tmp_path, step()).condition is Condition.UNFINISHED
    manifest = perform(step(), tmp_path, silent)
    assert manifest.facts["length"] == 4
    assert manifest.facts["seconds"] >= 0
    assert step_state(tmp_path, step()).finished
    stale = step_state(tmp_path, step(vocabulary={"min_count": 3}))
    assert (stale.condition, stale.reason) == (Condition.STALE, "vocabulary: None -> {'min_count': 3}")


def test_what_was_read_damaged_is_not_recorded(tmp_path: Path) -> None:
    first = perform(step(), tmp_path, silent)
    second = replace(step(after="first"), name="stage/second", reads=outputs_of([first]), work=silently)
    assert perform(second, tmp_path, silent).step == "stage/second"
    (tmp_path / "out.txt").write_text("tixt")
    with pytest.raises(PipelineError, match=r"out\.txt: damaged .*run again to rebuild it"):
        perform(replace(second, name="stage/third"), tmp_path, silent)
    assert step_state(tmp_path, replace(second, name="stage/third")).condition is Condition.UNFINISHED


def test_outputs_are_chosen_by_name(tmp_path: Path) -> None:
    first = perform(step(), tmp_path, silent)
    assert outputs_of([first], "out.txt") == outputs_of([first]) == first.outputs
    assert outputs_of([first], "other.txt") == {}


def test_a_damaged_output_or_manifest_is_not_finished(tmp_path: Path) -> None:
    perform(step(), tmp_path, silent)
    (tmp_path / "out.txt").write_text("tixt")
    damaged = step_state(tmp_path, step())
    assert damaged.condition is Condition.DAMAGED
    assert "out.txt" in damaged.reason
    perform(step(), tmp_path, silent)
    manifest(tmp_path, "stage/step").write_text("{")
    assert step_state(tmp_path, step()).condition is Condition.DAMAGED


def test_a_step_that_fails_leaves_no_manifest(tmp_path: Path) -> None:
    failing = Step("stage/step", write, {"text": None}, {}, ("out.txt",))
    with pytest.raises(TypeError):
        perform(failing, tmp_path, silent)
    assert step_state(tmp_path, failing).condition is Condition.UNFINISHED


def test_differences_name_the_setting_with_both_values() -> None:
    before = {"vocabulary": {"min_count": 2, "max_size": 0}, "input": "a" * 64, "gone": 1}
    now = {"vocabulary": {"min_count": 5, "max_size": 0}, "input": "b" * 64}
    assert difference(before, now) == "gone: 1 -> None; input changed; vocabulary.min_count: 2 -> 5"


def test_upstream_changes_with_settings_and_with_bytes_but_not_with_facts(tmp_path: Path) -> None:
    first = upstream_digest([perform(step(), tmp_path, silent)])
    assert upstream_digest([perform(step(), tmp_path, silent)]) == first
    assert upstream_digest([perform(step("other"), tmp_path, silent)]) != first
    assert upstream_digest([perform(step(seed=1), tmp_path, silent)]) != first


def test_a_missing_manifest_names_the_step(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="stage/step is not finished"):
        Run(tmp_path, None).manifest("stage/step")
