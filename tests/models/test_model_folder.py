import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.layout import MODEL_CONFIG, MODEL_WEIGHTS
from sentiment_pipeline.models.inference import logits
from sentiment_pipeline.models.model_folder import load_model, save_model
from sentiment_pipeline.models.sentiment import SentimentModel
from tests.training.examples import VOCABULARY, model_config

CONTENTS = model_config(layers=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    weights = SentimentModel(CONTENTS, VOCABULARY).state_dict()
    save_model(tmp_path, weights, CONTENTS, VOCABULARY, {"cleaning": {"x": 1}})
    return tmp_path


def change(folder: Path, **values: Any) -> None:
    config = json.loads((folder / MODEL_CONFIG).read_text())
    (folder / MODEL_CONFIG).write_text(json.dumps({**config, **values}))


def test_a_model_comes_back_as_it_went(folder: Path) -> None:
    torch.manual_seed(0)
    model, (loaded, config) = SentimentModel(CONTENTS, VOCABULARY), load_model(folder)
    assert not loaded.training
    assert config["cleaning"] == {"x": 1}
    assert config["model"] == asdict(CONTENTS)
    ids, offsets = np.arange(40), np.array([0, 10, 10, 40])
    assert np.array_equal(logits(model, ids, offsets), logits(loaded, ids, offsets))


@pytest.mark.parametrize("name", [MODEL_CONFIG, MODEL_WEIGHTS])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(PipelineError, match=f"{name} is missing"):
        load_model(folder)


@pytest.mark.parametrize(
    "values",
    [
        {"format": 2},
        {"format": None},
        {"vocabulary_size": 51},
        {"vocabulary_size": "50"},
        {"vocabulary_size": True},
        {"vocabulary_size": 1 << 60},
        {"weights_sha256": "0" * 64},
        {"weights_sha256": 5},
        {"model": None},
        {"model": {**asdict(CONTENTS), "hidden": 16}},
        {"model": {**asdict(CONTENTS), "hidden": 8192, "layers": 16}},
        {"model": {**asdict(CONTENTS), "layers": 1}},
        {"model": {**asdict(CONTENTS), "hidden": "8"}},
        {"model": {**asdict(CONTENTS), "ngram_buckets": 1 << 28}},
    ],
)
def test_a_config_that_does_not_fit_is_refused(folder: Path, values: dict[str, Any]) -> None:
    change(folder, **values)
    with pytest.raises(PipelineError):
        load_model(folder)


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"{", b'{"format": 1}', b"[" * 100_000, b'"\xff"'])
def test_a_config_that_is_none_is_refused(folder: Path, content: bytes) -> None:
    (folder / MODEL_CONFIG).write_bytes(content)
    with pytest.raises(PipelineError, match="is not a model's config"):
        load_model(folder)


def test_a_flipped_bit_in_the_weights_is_found(folder: Path) -> None:
    content = bytearray((folder / MODEL_WEIGHTS).read_bytes())
    content[-5] ^= 1
    (folder / MODEL_WEIGHTS).write_bytes(content)
    with pytest.raises(PipelineError, match="damaged"):
        load_model(folder)


def test_weights_of_other_names_or_types_are_refused(folder: Path) -> None:
    weights = SentimentModel(CONTENTS, VOCABULARY).state_dict()
    first = next(iter(weights))
    for wrong in (
        {**weights, first: weights[first].half()},
        {**weights, "more": torch.zeros(1)},
        {name: each for name, each in weights.items() if name != first},
    ):
        save_file(wrong, folder / MODEL_WEIGHTS)
        change(folder, weights_sha256=sha256(folder / MODEL_WEIGHTS))
        with pytest.raises(PipelineError, match="does not fit its config"):
            load_model(folder)


@given(content=st.binary(max_size=300), keep=st.integers(0, 400))
def test_fuzzed_weights_are_an_error(folder: Path, content: bytes, keep: int) -> None:
    path = folder / MODEL_WEIGHTS
    good = path.read_bytes()
    path.write_bytes(good[:keep] + content)
    change(folder, weights_sha256=sha256(path))
    try:
        with pytest.raises(PipelineError):
            load_model(folder)
    finally:
        path.write_bytes(good)
