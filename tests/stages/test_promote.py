import json
from pathlib import Path

import pytest

from sentiment_pipeline.engine import manifest
from sentiment_pipeline.engine.status import stage_statuses
from sentiment_pipeline.engine.verify import damage
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.predict import Predictor
from sentiment_pipeline.stages.pipeline import STAGES
from sentiment_pipeline.stages.promote import promote
from sentiment_pipeline.stages.published import published_manifest
from tests.conftest import MakeSettings
from tests.folders import run_here
from tests.stages.conftest import run_of
from tests.stages.test_published import AGAIN, models


@pytest.fixture
def published_twice(finished: Path, make_settings: MakeSettings) -> Path:
    """A folder with a published model and one before it."""
    run_here(make_settings(finished, AGAIN))
    return finished


def test_it_puts_the_model_before_back_and_later_runs_leave_it(
    published_twice: Path, make_settings: MakeSettings
) -> None:
    data_dir, settings, before = published_twice, make_settings(published_twice, AGAIN), models(published_twice)
    promote(data_dir)
    assert models(data_dir) == {"model": before["model-before"], "model-before": before["model"]}
    assert (data_dir / "lineage.json").read_bytes() == (data_dir / "model/lineage.json").read_bytes()
    assert json.loads((data_dir / "lineage.json").read_text())["settings"]["training"]["seed"] == 0
    assert damage(data_dir, STAGES) == []
    assert [each["condition"] for each in stage_statuses(run_of(settings), STAGES)] == ["finished"] * len(STAGES)
    assert run_here(settings) == set()
    assert models(data_dir)["model"] == before["model-before"]
    published = published_manifest(data_dir)
    assert published
    assert "promote again" in published.warnings[0]
    run_here(make_settings(data_dir, "training.seed=6"))
    assert models(data_dir)["model-before"] == before["model-before"]
    assert models(data_dir)["model"] not in before.values()


def test_twice_changes_nothing(published_twice: Path, make_settings: MakeSettings) -> None:
    before, first = models(published_twice), published_manifest(published_twice)
    promote(published_twice)
    promote(published_twice)
    assert models(published_twice) == before
    last = published_manifest(published_twice)
    assert first and last
    assert (last.depends, last.outputs, last.warnings) == (first.depends, first.outputs, ())
    assert run_here(make_settings(published_twice, AGAIN)) == set()


def test_killed_before_the_manifest_is_written_both_models_are_whole(
    published_twice: Path, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = models(published_twice)

    def die(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(manifest, "record", die)
        with pytest.raises(KeyboardInterrupt):
            promote(published_twice)
    for folder in ("model", "model-before"):
        Predictor(published_twice / folder)
    assert any(line.startswith("model/config.json: damaged") for line in damage(published_twice, STAGES))
    assert run_here(make_settings(published_twice, AGAIN)) == set()
    assert models(published_twice) == before
    assert damage(published_twice, STAGES) == []


def test_without_a_model_before_there_is_nothing_to_promote(finished: Path, tmp_path: Path) -> None:
    for folder in (finished, tmp_path / "none"):
        with pytest.raises(PipelineError, match="holds no model before the published one"):
            promote(folder)
    assert not (tmp_path / "none").exists()


def test_a_damaged_model_is_not_promoted(published_twice: Path) -> None:
    before = models(published_twice)
    (published_twice / "model-before/vocabulary.parquet").write_bytes(b"")
    with pytest.raises(PipelineError, match=r"model-before is damaged; see sentiment-pipeline verify"):
        promote(published_twice)
    assert models(published_twice) == before
