import shutil
from pathlib import Path

import pytest

from sentiment_pipeline.engine.verify import damage
from sentiment_pipeline.errors import PipelineError


def test_a_finished_folder_is_whole(finished: Path) -> None:
    assert damage(finished) == []


def test_a_file_without_its_manifest_is_named(finished: Path) -> None:
    (finished / "manifests" / "train.json").unlink()
    assert damage(finished) == [
        "manifests/train: missing, though later stages are finished",
        "training/history.jsonl: no manifest tells what it must be",
        "training/model.safetensors: no manifest tells what it must be",
    ]


def test_a_stage_that_is_lost_with_its_manifests_is_named(finished: Path) -> None:
    shutil.rmtree(finished / "manifests" / "encode")
    for name in ("shards", "packed"):
        shutil.rmtree(finished / name)
    assert damage(finished) == ["manifests/encode: missing, though later stages are finished"]


def test_a_damaged_manifest_is_named_once(finished: Path) -> None:
    path = finished / "manifests" / "publish.json"
    path.write_text(path.read_text().replace("publish", "pubxish", 1))
    (line,) = damage(finished)
    assert line.startswith(str(path))


def test_other_files_are_none_of_its_business(finished: Path) -> None:
    (finished / "model" / "notes.txt").write_text("mine")
    (finished / "reviews.csv").write_text("mine")
    assert damage(finished) == []


def test_all_manifests_lost_is_damage_and_an_empty_folder_an_error(finished: Path, tmp_path: Path) -> None:
    shutil.rmtree(finished / "manifests")
    assert len(damage(finished)) > 20
    with pytest.raises(PipelineError, match="run the pipeline first"):
        damage(tmp_path / "empty")
