import json
from pathlib import Path
from typing import Any

import pytest

from sentiment_pipeline.comparison import read_folder
from sentiment_pipeline.errors import PipelineError
from tests.comparison.folders import Edit, model_folder


def test_a_data_folder_and_its_model_folder_say_the_same(trained: Path) -> None:
    data, model = read_folder(trained), read_folder(trained / "model")
    assert (data.inputs, data.settings, data.metrics) == (model.inputs, model.settings, model.metrics)
    assert [file.name for file in data.inputs["train"]] == ["train.ft.txt.bz2"]
    assert data.metrics["test"] == json.loads((trained / "metrics.json").read_text())["test"]


def test_one_file_a_source_is_read_like_a_list_of_one(trained: Path, tmp_path: Path) -> None:
    def as_before(lineage: dict[str, Any]) -> None:
        lineage["inputs"] = {"train": lineage["inputs"]["train"][0], "test": None}
        del lineage["test_reviews"]

    found = read_folder(model_folder(trained, tmp_path / "old", as_before))
    assert found.inputs == {"train": read_folder(trained).inputs["train"], "test": ()}
    assert found.test_reviews == ""


def test_what_is_neither_kind_of_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"none is no folder; give a data folder or a model folder"):
        read_folder(tmp_path / "none")
    with pytest.raises(PipelineError, match=r"holds no lineage\.json, so it is neither"):
        read_folder(tmp_path)
    for content in ("{", "[]"):
        (tmp_path / "lineage.json").write_text(content)
        with pytest.raises(PipelineError, match=r"lineage\.json is damaged"):
            read_folder(tmp_path)


@pytest.mark.parametrize(
    "edit",
    [
        lambda lineage: lineage.pop("inputs"),
        lambda lineage: lineage.update(inputs=[]),
        lambda lineage: lineage.update(settings=3),
        lambda lineage: lineage["inputs"].update(train=[{"name": "a"}]),
        lambda lineage: lineage["metrics"].pop("test"),
        lambda lineage: lineage["metrics"]["test"].pop("accuracy"),
        lambda lineage: lineage["metrics"]["test"].update(accuracy="high"),
        lambda lineage: lineage["metrics"]["test"].update(accuracy=1.5),
        lambda lineage: lineage["metrics"]["validation"].update(reviews=0),
    ],
)
def test_a_lineage_without_what_is_compared_is_damaged(edit: Edit, trained: Path, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"lineage\.json is damaged, or of another version"):
        read_folder(model_folder(trained, tmp_path / "model", edit))
