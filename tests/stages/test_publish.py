import json
from pathlib import Path

import pyarrow.parquet as pq

from sentiment_pipeline.predict import Predictor
from sentiment_pipeline.stages.publish import PUBLISHES
from tests.stages.conftest import Settings, done


def test_the_model_folder_says_how_texts_become_ids(finished: Path, made: Settings) -> None:
    assert {path.relative_to(finished).as_posix() for path in (finished / "model").iterdir()} == set(PUBLISHES)
    config = json.loads((finished / "model" / "config.json").read_text())
    assert config["cleaning"] == {"html_breaks": True}
    assert config["unknown_id"] == 1
    assert config["tokenizer"]["name"] == "nltk.word_tokenize"


def test_predictions_need_nothing_but_the_model_folder(finished: Path) -> None:
    table = pq.read_table(finished / "shards" / "test" / "part-00000.parquet")
    (finished / "model").rename(finished.parent / "moved")
    said = Predictor(finished.parent / "moved").probabilities(table["text"].to_pylist())
    right = ((said > 0.5) == table["label"].to_numpy()).mean()
    assert right == json.loads((finished / "metrics.json").read_text())["test"]["accuracy"]


def test_a_file_of_the_users_in_its_folder_stays(finished: Path, made: Settings) -> None:
    (finished / "model" / "notes.txt").write_text("mine")
    assert done(made(finished, "training.seed=5")) == {"train", "evaluate", "publish"}
    assert (finished / "model" / "notes.txt").read_text() == "mine"
