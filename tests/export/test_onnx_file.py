from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.export import export_onnx
from sentiment_pipeline.models.inference import logits
from sentiment_pipeline.models.model_folder import load_model
from sentiment_pipeline.predict import Predictor

TEXTS = ["A great film.", "a terrible book, not worth the paper", "", "great " * 1000, "Ünïcode\nand a line feed"]


def test_from_texts_to_the_same_probabilities(trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    export_onnx(trained / "model", str(file))
    predictor = Predictor(trained / "model")
    ids, lengths = predictor.encode(TEXTS)
    (found,) = onnxruntime.InferenceSession(file).run(None, {"ids": ids, "lengths": lengths})
    network, _ = load_model(trained / "model")
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    wanted = 1 / (1 + np.exp(-logits(network, ids[np.arange(ids.shape[1]) < lengths[:, None]], offsets)))
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    np.testing.assert_allclose(found, predictor.predict_proba(TEXTS), atol=1e-2)  # in bf16, where the processor has it


def test_texts_without_words_have_one_time_step(trained: Path) -> None:
    ids, lengths = Predictor(trained / "model").encode(["", ""])
    assert ids.tolist() == [[0], [0]] and lengths.tolist() == [0, 0]


def test_an_earlier_file_is_replaced_and_another_is_kept(trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    export_onnx(trained / "model", file)
    export_onnx(trained / "model", file)
    file.write_bytes(b"my own notes")
    with pytest.raises(PipelineError, match="exists and is no ONNX file"):
        export_onnx(trained / "model", file)
    assert file.read_bytes() == b"my own notes"


def test_other_names_and_folders_without_a_model_are_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ends in \.onnx"):
        export_onnx(trained / "model", tmp_path / "model.pt")
    with pytest.raises(PipelineError, match="is missing; name a model folder"):
        export_onnx(tmp_path, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
