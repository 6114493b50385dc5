import shutil
from pathlib import Path

import pytest

from sentiment_pipeline.engine.verify import damage
from sentiment_pipeline.errors import PipelineError
from tests.engine.toy import STAGES, run_toy


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    run_toy(tmp_path / "finished")
    return tmp_path / "finished"


def test_a_finished_folder_is_intact(finished: Path) -> None:
    assert damage(finished, STAGES) == []


def test_every_damaged_and_missing_file_is_named(finished: Path) -> None:
    (finished / "out" / "one.txt").write_text("two")
    (finished / "joined.txt").unlink()
    assert damage(finished, STAGES) == ["joined.txt: missing", "out/one.txt: damaged (its SHA-256 differs)"]


def test_a_file_without_a_manifest_is_named(finished: Path) -> None:
    (finished / "manifests" / "write" / "one.json").unlink()
    assert damage(finished, STAGES) == ["out/one.txt: no manifest describes it"]


def test_a_stage_that_is_lost_with_its_manifests_is_named(finished: Path) -> None:
    shutil.rmtree(finished / "manifests" / "write")
    shutil.rmtree(finished / "out")
    assert damage(finished, STAGES) == ["manifests/write: missing, though later stages are finished"]


def test_a_damaged_manifest_is_named_once(finished: Path) -> None:
    path = finished / "manifests" / "write" / "one.json"
    path.write_text(path.read_text().replace("one", "won", 1))
    (line,) = damage(finished, STAGES)
    assert line.startswith(f"{path} is damaged")


def test_damaged_files_that_no_manifest_describes_are_reported_by_their_stage(finished: Path) -> None:
    (finished / "drafts").mkdir()
    (finished / "drafts" / "damaged.txt").touch()
    assert damage(finished, STAGES) == ["damaged.txt: damaged"]


def test_other_files_are_ignored(finished: Path) -> None:
    (finished / "out" / "notes.md").write_text("mine")
    (finished / "mine.txt").write_text("mine")
    assert damage(finished, STAGES) == []


def test_all_manifests_lost_is_damage_and_an_empty_folder_an_error(finished: Path, tmp_path: Path) -> None:
    shutil.rmtree(finished / "manifests")
    assert damage(finished, STAGES) == [
        f"{name}: no manifest describes it" for name in ("joined.txt", "out/one.txt", "out/two.txt")
    ]
    with pytest.raises(PipelineError, match="run the pipeline first"):
        damage(tmp_path / "empty", STAGES)
