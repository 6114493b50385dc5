import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.models.inference import logits
from sentiment_pipeline.predict import Predictor, loading
from tests.predict.conftest import SaveFolder
from tests.training.examples import model_config

TEXTS = [
    "The great film.",
    "",
    "terrible " * 500,
    "Xyzzy",
    "東京は",
    "\ufffd\0",
    "The 7 books<br />",
    "THE TERRIBLE BOOK",
]


@pytest.fixture
def ready(folder: Path) -> Predictor:
    ready = Predictor(folder)
    ready._dtype = torch.float32
    return ready


def test_texts_are_encoded_as_the_config_says(ready: Predictor) -> None:
    ids = np.array([2, 3, 6, 5, 2, 7, 1], np.int32)  # the great film . the 0 books
    expected = 1 / (1 + np.exp(-logits(ready._model, ids, np.array([0, 4, 7]))))
    assert ready.predict_proba(["The GREAT film.", "The 7<br />books"]) == pytest.approx(expected, abs=1e-6)


def test_every_text_has_its_answer_wherever_it_stands(ready: Predictor) -> None:
    together = ready.predict_proba(TEXTS)
    assert together.dtype == np.float32
    assert together.shape == (len(TEXTS),)
    assert np.all((together > 0) & (together < 1))
    assert len(np.unique(together.round(5))) >= 5
    alone = np.concatenate([ready.predict_proba([text]) for text in TEXTS])
    assert together == pytest.approx(alone, abs=1e-6)
    assert ready.predict_proba([]).shape == (0,)


def test_a_file_is_scored_in_blocks_in_order(ready: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment_pipeline.predict.reading._BLOCK_LINES", 3)
    path = tmp_path / "reviews.txt"
    path.write_text("\n".join(TEXTS), encoding="utf-8")
    scored = list(ready.score_file(path))
    assert [len(each.probabilities) for each in scored] == [3, 3, 2]
    assert np.concatenate([each.probabilities for each in scored]) == pytest.approx(
        ready.predict_proba(TEXTS), abs=1e-6
    )


def test_fast_predictions_are_refused_where_there_are_none(ready: Predictor) -> None:
    with pytest.raises(PipelineError, match="linear_length.*without --fast"):
        ready.predict(TEXTS, fast=True)
    with pytest.raises(SettingsError, match="leave --fast out"):
        next(ready.score_file(None, explain=True, fast=True))


def test_fast_predictions_are_those_of_the_cascade(tmp_path: Path, save_folder: SaveFolder) -> None:
    ready = Predictor(save_folder(model_config(ngrams=2, linear_length=60), {"threshold": 0.0, "scale": 2.0}))
    assert ready._model.head is not None
    ready._model.head.weights.normal_()
    ready._model.head.weights[0] = 0
    ready._dtype = torch.float32
    ids, lengths = ready.encode(TEXTS)
    head = ready._model.head(torch.from_numpy(ids.T), torch.from_numpy(lengths))
    decided = (head.abs() > 0).numpy()
    assert 0 < decided.sum() < len(TEXTS)  # the empty text has no n-grams
    fast, whole = ready.predict_proba(TEXTS, fast=True), ready.predict_proba(TEXTS)
    assert fast[decided] == pytest.approx((2 * head).sigmoid().numpy()[decided], abs=1e-6)
    assert fast[~decided] == pytest.approx(whole[~decided], abs=1e-6)


@pytest.mark.parametrize(
    "fast", [{}, {"threshold": 1}, {"threshold": -1.0, "scale": 1.0}, {"threshold": "1", "scale": 1}, [1, 2], 3]
)
def test_a_wrong_threshold_is_named(save_folder: SaveFolder, fast: Any) -> None:
    with pytest.raises(PipelineError, match=r"config\.json: fast is wrong"):
        Predictor(save_folder(model_config(), fast))


def test_predictions_are_labels_with_their_probabilities(ready: Predictor) -> None:
    predictions = ready.predict(TEXTS)
    assert [each.probability for each in predictions] == ready.predict_proba(TEXTS).tolist()
    assert [each.label for each in predictions] == [
        "positive" if each.probability > 0.5 else "negative" for each in predictions
    ]
    assert ready.predict([]) == []


def test_one_text_alone_is_refused_because_its_letters_would_be_scored(ready: Predictor) -> None:
    with pytest.raises(TypeError, match=r"predict\(\[text\]\)"):
        ready.predict("not bad at all")


def test_a_folder_may_be_a_string(folder: Path) -> None:
    assert Predictor(str(folder)).predict(["great"]) == Predictor(folder).predict(["great"])


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocabulary.parquet"])
@pytest.mark.parametrize(
    "damage",
    [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?"), lambda path: path.write_bytes(b"")],
)
def test_a_missing_or_damaged_file_is_named(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(folder / name)
    with pytest.raises(PipelineError, match=name):
        Predictor(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"cleaning": {}},
        {"cleaning": {"html_breaks": "yes"}},
        {"cleaning": None},
        {"unknown_id": -1},
        {"unknown_id": 99},
        {"unknown_id": True},
        {"tokenizer": "nltk"},
        {"tokenizer": {}},
        {"vocabulary_sha256": "0"},
    ],
)
def test_a_config_that_does_not_say_how_texts_become_ids_is_refused(folder: Path, change: dict[str, Any]) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(PipelineError, match="publish the model again"):
        Predictor(folder)


def test_words_cut_by_another_nltk_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "version", lambda name: "3.9.2")
    with pytest.raises(PipelineError, match=r"and NLTK 3\.9\.2 here cuts others; install nltk=="):
        Predictor(folder)


def test_each_text_has_the_bits_that_it_has_alone(ready: Predictor) -> None:
    texts = [*TEXTS, *["the great film " * length for length in range(40)]]
    alone = [ready.predict([text])[0] for text in texts]
    assert ready.predict_each(texts) == alone
    assert ready.predict_each(texts[::-1]) == alone[::-1]
    assert ready.predict_each([]) == []
