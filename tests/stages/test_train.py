from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.stages.pipeline import TRAIN
from sentiment_pipeline.stages.train import _delete_other_checkpoints
from tests.conftest import MakeSettings
from tests.folders import run_here


def test_the_content_of_word_vectors_counts_and_not_their_name(
    finished: Path, make_settings: MakeSettings, tmp_path: Path
) -> None:
    words = pq.read_table(finished / "vocabulary.parquet")["token"].to_pylist()
    text = "".join(f"{word} 0.5 -0.25 1\n" for word in words[2:50])
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(text)
    assert run_here(make_settings(finished, f"training.vectors='{tmp_path}/a.txt'"), TRAIN) == {"train"}
    assert run_here(make_settings(finished, f"training.vectors='{tmp_path}/b.txt'"), TRAIN) == set()
    (tmp_path / "b.txt").write_text(text + "good 1 1 1\n")
    assert run_here(make_settings(finished, f"training.vectors='{tmp_path}/b.txt'"), TRAIN) == {"train"}
    assert run_here(make_settings(finished), TRAIN) == {"train"}


def test_missing_word_vectors_are_refused_at_once(finished: Path, make_settings: MakeSettings) -> None:
    with pytest.raises(SettingsError, match=r"training\.vectors: there is no file absent\.txt"):
        make_settings(finished, "training.vectors=absent.txt")


def test_pretraining_keeps_its_checkpoints_with_those_of_training(finished: Path, make_settings: MakeSettings) -> None:
    assert run_here(make_settings(finished, "training.pretraining_epochs=1"), TRAIN) == {"train"}
    (folder,) = (finished / "checkpoints").iterdir()
    assert list(folder.glob("step-*.pt"))
    assert list(folder.glob("language-model/step-*.pt"))
    assert run_here(make_settings(finished), TRAIN) == {"train"}
    assert folder not in (finished / "checkpoints").iterdir()


def test_checkpoints_of_other_settings_are_deleted_and_other_files_stay(tmp_path: Path) -> None:
    ours, theirs, mine = (tmp_path / name for name in ("0" * 16, "f" * 16, "notes"))
    for folder in (ours, theirs, mine):
        folder.mkdir()
    (tmp_path / "file.txt").write_text("mine")
    _delete_other_checkpoints(ours)
    assert {path.name for path in tmp_path.iterdir()} == {ours.name, "notes", "file.txt"}
