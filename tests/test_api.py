"""The Python interface as its users see it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import sentiment_pipeline as sp
from tests.conftest import TINY

HEAVY = {"torch", "polars", "pyarrow", "numpy", "pydantic", "nltk", "typer", "rich"}


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, sentiment_pipeline; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & {name.partition(".")[0] for name in loaded}


def test_every_public_name_is_there_and_documented() -> None:
    assert set(sp.__all__) <= set(dir(sp))
    for name in sp.__all__:
        assert name == "__version__" or getattr(sp, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        sp.lode  # noqa: B018


def test_a_model_is_made_and_asked(sample: Path, tmp_path: Path) -> None:
    settings = {name: values for name, values in tomllib.loads(TINY).items() if isinstance(values, dict)}
    metrics = sp.run(
        train=sample / "train.ft.txt.bz2",
        test=str(sample / "test.ft.txt.bz2"),
        data_dir=tmp_path / "data",
        preset="quick",
        settings=settings,
    )
    assert metrics["test"]["reviews"] == 150
    assert 0 <= metrics["test"]["accuracy"] <= 1
    for folder in (tmp_path / "data" / "model", str(tmp_path / "data" / "model")):
        model = sp.load(folder)
        predictions = model.predict(["not bad at all", "boring"])
        assert {each.label for each in predictions} <= {"positive", "negative"}
        probabilities = model.predict_proba(["not bad at all", "boring"])
        assert (probabilities.dtype, probabilities.shape) == (np.float32, (2,))
        assert [each.probability for each in predictions] == probabilities.tolist()


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(sp.SettingsError, match=r"training\.epochs: .* not 0; allowed: at least 1"):
        sp.run(data_dir=tmp_path, preset="quick", settings={"training": {"epochs": 0}})
    with pytest.raises(sp.PipelineError, match="config.json is missing"):
        sp.load(tmp_path)
