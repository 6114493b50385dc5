import bz2
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import run_stage
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.stages.predict import STAGE, PredictionSettings, open_output_folder


def score(output: Path, model: Path, *files: Path) -> int:
    """Score files into a folder; the number of files that were not skipped."""
    settings = PredictionSettings(model, files)
    with open_output_folder(output, settings) as run, ProcessExecutor(1) as executor:
        return run_stage(run, STAGE, executor, PlainObserver(lambda line: None)).done


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    (tmp_path / "a.txt").write_text("good\nbad\n")
    (tmp_path / "b.txt.bz2").write_bytes(bz2.compress(b"__label__2 good\n"))
    return [tmp_path / "a.txt", tmp_path / "b.txt.bz2"]


def test_only_new_and_changed_files_are_scored(trained: Path, files: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "scores"
    assert score(output, trained / "model", *files[:1]) == 1
    assert score(output, trained / "model", *files) == 1
    assert sorted(path.name for path in output.glob("*.parquet")) == ["a.txt.parquet", "b.txt.parquet"]
    table = pq.read_table(output / "a.txt.parquet")
    assert table.num_rows == 2
    files[0].write_text("good\nbad\nugly\n")
    assert score(output, trained / "model", *files) == 1
    assert pq.read_table(output / "a.txt.parquet").slice(0, 2) == table
    assert pq.read_table(output / "a.txt.parquet").num_rows == 3


def test_another_model_scores_all_files_again(finished: Path, files: list[Path], tmp_path: Path) -> None:
    assert score(tmp_path / "scores", finished / "model", *files) == 2
    card = finished / "model" / "README.md"
    card.write_text("another model card changes no score")
    assert score(tmp_path / "scores", finished / "model", *files) == 0
    config = finished / "model" / "config.json"
    config.write_text(config.read_text() + "\n")
    assert score(tmp_path / "scores", finished / "model", *files) == 2


def test_files_of_one_name_are_refused(trained: Path, files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / "a.txt"
    twin.write_text("good")
    with pytest.raises(SettingsError, match=r"two files would both become a\.txt\.parquet"):
        score(tmp_path / "scores", trained / "model", files[0], twin)


def test_a_missing_file_is_named(trained: Path, files: list[Path], tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"absent\.txt is missing"):
        score(tmp_path / "scores", trained / "model", tmp_path / "absent.txt")
    with pytest.raises(PipelineError, match=r"model\.safetensors is missing; give the folder of a published model"):
        score(tmp_path / "scores", trained, *files)
