from pathlib import Path

import pytest

from sentiment_pipeline.settings import PRESETS, changed_settings, load


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_changes_nothing(preset: str, tmp_path: Path) -> None:
    assert changed_settings(load({"data_dir": tmp_path, "preset": preset})) == {}


def test_values_that_differ_from_the_preset_are_named(tmp_path: Path) -> None:
    assignments = ["training.epochs=3", "runtime.tensorboard=false", "model.hidden=128"]
    settings = load({"data_dir": tmp_path, "preset": "quick"}, assignments=assignments)
    assert changed_settings(settings) == {"training.epochs": 3, "runtime.tensorboard": False}
    assert changed_settings(settings, ("training", "model")) == {"training.epochs": 3}
