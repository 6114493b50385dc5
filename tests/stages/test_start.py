"""Training that starts from a model there is already, as nightly runs do."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sentiment_pipeline import layout
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.settings import Settings, load
from sentiment_pipeline.stages.pipeline import TRAIN, Run
from sentiment_pipeline.stages.start import Start, start_of
from sentiment_pipeline.stages.train import training_step
from tests.conftest import MakeSettings
from tests.folders import run_here

FROZEN = "vocabulary.source=frozen"
PUBLISHED = "training.start_from=published"


@pytest.fixture
def grown(
    trained: Path, copy: Callable[[Path], Path], make_settings: MakeSettings, tmp_path: Path
) -> Callable[..., Settings]:
    """The settings of a copy of a finished folder to which a file of 300 reviews was added."""
    folder = copy(trained)
    write_sample(tmp_path / "more", 334, seed=5)
    more = tmp_path / "more" / layout.input_file("train")

    def settings(*assignments: str) -> Settings:
        before = make_settings(folder, *assignments)
        return load({"train": [*before.train, more]}, assignments=assignments, base=_values(before))

    return settings


def _values(settings: Settings) -> dict[str, object]:
    from sentiment_pipeline.settings.last_run import read_last_run, write_last_run

    write_last_run(settings)
    return read_last_run(settings.data_dir)


def start(settings: Settings) -> Start | None:
    return start_of(Run(settings.data_dir, settings))


def test_the_reviews_of_the_model_before_are_the_old_ones(grown: Callable[..., Settings]) -> None:
    settings = grown(FROZEN, PUBLISHED, "training.replay=0.5")
    before = json.loads((settings.data_dir / layout.MODEL / layout.MODEL_CONFIG).read_text())["trained_on"]
    assert {"ingest", "encode", "train", "publish"} <= run_here(settings)
    after = json.loads((settings.data_dir / layout.MODEL / layout.MODEL_CONFIG).read_text())["trained_on"]
    assert after["reviews"] > before["reviews"] > 0
    facts = Run(settings.data_dir, settings).manifest("train").facts
    read = round(0.5 * before["reviews"]) + after["reviews"] - before["reviews"]
    assert facts["steps"] == facts["epochs"] * -(-read // settings.training.batch_size)


def test_a_published_model_does_not_make_its_own_training_stale(grown: Callable[..., Settings]) -> None:
    settings = grown(FROZEN, PUBLISHED)
    run_here(settings)
    assert run_here(settings) == set()
    named = grown(FROZEN, f"training.start_from={settings.data_dir / layout.MODEL}")
    assert "train" not in run_here(named), "the path of the published model is the published model"


def test_without_a_published_model_training_starts_at_random(make_settings: MakeSettings, trained: Path) -> None:
    assert start(make_settings(trained)) is None
    assert start(make_settings(trained.parent / "nowhere", PUBLISHED)) is None


def test_other_reviews_than_those_of_the_model_are_all_new(
    trained: Path, copy: Callable[[Path], Path], make_settings: MakeSettings
) -> None:
    folder = copy(trained)
    path = folder / layout.MODEL / layout.MODEL_CONFIG
    config = json.loads(path.read_text())
    found = start(make_settings(folder, PUBLISHED))
    assert found and found.old_reviews == config["trained_on"]["reviews"]
    path.write_text(json.dumps({**config, "trained_on": {**config["trained_on"], "sha256": "0" * 64}}))
    found = start(make_settings(folder, PUBLISHED))
    assert found and found.old_reviews == 0


def test_a_model_of_another_folder_is_known_by_its_weights(
    trained: Path, copy: Callable[[Path], Path], make_settings: MakeSettings
) -> None:
    folder = copy(trained)
    settings = make_settings(folder, f"training.start_from={trained / layout.MODEL}")
    step = training_step(Run(folder, settings))
    weights = json.loads((trained / layout.MODEL / layout.MODEL_CONFIG).read_text())["weights_sha256"]
    assert step.depends["training"]["start_from"] == weights
    assert step.arguments["start"] == trained / layout.MODEL / layout.MODEL_WEIGHTS
    assert run_here(settings, TRAIN) == {"train"}


def test_damaged_weights_are_no_start(trained: Path, copy: Callable[[Path], Path], make_settings: MakeSettings) -> None:
    folder = copy(trained)
    weights = folder / layout.MODEL / layout.MODEL_WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(PipelineError, match=r"model.safetensors is missing or damaged"):
        start(make_settings(folder, PUBLISHED))


def test_a_model_that_does_not_fit_is_refused(
    trained: Path, copy: Callable[[Path], Path], make_settings: MakeSettings
) -> None:
    folder = copy(trained)
    with pytest.raises(SettingsError, match=r"has other settings \(model.dropout"):
        start(make_settings(folder, PUBLISHED, "model.dropout=0.123"))
    with pytest.raises(PipelineError, match=r"/nowhere/config.json is missing; name a model folder"):
        start(make_settings(folder, "training.start_from=/nowhere"))
    path = folder / layout.MODEL / layout.MODEL_CONFIG
    path.write_text(json.dumps({**json.loads(path.read_text()), "vocabulary_sha256": "0" * 64}))
    with pytest.raises(SettingsError, match="has another vocabulary .* prepare with vocabulary.source"):
        start(make_settings(folder, PUBLISHED))
