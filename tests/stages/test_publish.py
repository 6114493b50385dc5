import json
from pathlib import Path

import pyarrow.parquet as pq

from sentiment_pipeline.predict import Predictor
from sentiment_pipeline.stages.publish import STAGE
from tests.conftest import MakeSettings
from tests.folders import run_here


def test_the_model_folder_says_how_texts_become_ids(finished: Path, make_settings: MakeSettings) -> None:
    files = {path.relative_to(finished).as_posix() for path in (finished / "model").iterdir()}
    assert files == {name for name in STAGE.publishes if name.startswith("model/")}
    config = json.loads((finished / "model" / "config.json").read_text())
    assert config["cleaning"] == {"html_breaks": True}
    assert config["unknown_id"] == 1
    assert config["tokenizer"]["name"] == "nltk.word_tokenize"


def test_predictions_need_nothing_but_the_model_folder(finished: Path) -> None:
    table = pq.read_table(finished / "shards" / "test" / "part-00000.parquet")
    (finished / "model").rename(finished.parent / "moved")
    found = Predictor(finished.parent / "moved").predict_proba(table["text"].to_pylist())
    right = ((found > 0.5) == table["label"].to_numpy()).mean()
    assert right == json.loads((finished / "metrics.json").read_text())["test"]["accuracy"]


def test_a_file_of_the_users_in_its_folder_stays(finished: Path, make_settings: MakeSettings) -> None:
    (finished / "model" / "notes.txt").write_text("mine")
    assert run_here(make_settings(finished, "training.seed=5")) == {"train", "evaluate", "publish"}
    assert (finished / "model" / "notes.txt").read_text() == "mine"
