import os
from dataclasses import replace
from pathlib import Path

import pytest

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.settings import load, read_last_run, write_last_run


def test_the_settings_of_the_last_run_are_read_back(tmp_path: Path) -> None:
    assert read_last_run(tmp_path) == {}
    settings = load({"data_dir": tmp_path, "preset": "tutorial", "train": "a.bz2"}, None, ["vocabulary.min_count=4"])
    write_last_run(settings)
    assert settings.train == (Path("a.bz2").absolute(),), "so that it is found from any folder"
    assert load({}, base=read_last_run(tmp_path)) == settings
    assert load({}, None, ["vocabulary.min_count=5"], read_last_run(tmp_path)).vocabulary.min_count == 5


def test_a_run_without_input_files_keeps_those_before(tmp_path: Path) -> None:
    settings = load({"data_dir": tmp_path, "preset": "quick", "train": "a.bz2", "test": "b.bz2"})
    write_last_run(settings)
    write_last_run(replace(settings, train=(), test=(), preset="full"))
    found = load({}, base=read_last_run(tmp_path))
    assert (found.train, found.test, found.preset) == (settings.train, settings.test, "full")


def test_a_moved_folder_is_where_it_is_now(tmp_path: Path) -> None:
    write_last_run(load({"data_dir": tmp_path / "old", "preset": "quick"}))
    (tmp_path / "old").rename(tmp_path / "new")
    assert load({}, base=read_last_run(tmp_path / "new")).data_dir == tmp_path / "new"


@pytest.mark.parametrize("text", ["[]", "{", "3", "[" * 100_000])
def test_a_damaged_file_is_named_and_replaced_by_the_next_run(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(SettingsError, match=r"settings\.json is damaged"):
        read_last_run(tmp_path)
    settings = load({"data_dir": tmp_path, "preset": "quick"})
    write_last_run(settings)
    assert load({}, base=read_last_run(tmp_path)) == settings


def test_a_pipe_does_not_block_and_a_file_is_no_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "settings.json")
    with pytest.raises(SettingsError, match="not a regular file"):
        read_last_run(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="file is a file; give a folder"):
        read_last_run(tmp_path / "file")
