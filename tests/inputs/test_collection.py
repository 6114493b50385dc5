from pathlib import Path

import pytest

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.collection import collect_files, names_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.txt", "a.txt", "c.csv", ".hidden", "below/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_folder_is_its_files_sorted_by_name(folder: Path) -> None:
    assert collect_files([folder]) == [folder / name for name in ("a.txt", "b.txt", "c.csv")]


def test_a_pattern_is_the_files_that_match_sorted(folder: Path) -> None:
    assert collect_files([folder / "*.txt"]) == [folder / "a.txt", folder / "b.txt"]
    assert collect_files([folder / "**/*.txt"]) == [folder / name for name in ("a.txt", "b.txt", "below/d.txt")]


def test_what_is_given_keeps_its_order_and_counts_once(folder: Path) -> None:
    given = [folder / "c.csv", folder / "*.txt", folder]
    assert collect_files(given) == [folder / name for name in ("c.csv", "a.txt", "b.txt")]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    for name in ("reviews[1].txt", "reviews1.txt"):
        (tmp_path / name).touch()
    assert collect_files([tmp_path / "reviews[1].txt"]) == [tmp_path / "reviews[1].txt"]


def test_a_missing_file_is_left_to_the_reader(tmp_path: Path) -> None:
    assert collect_files([tmp_path / "missing.txt"]) == [tmp_path / "missing.txt"]


@pytest.mark.parametrize(("name", "words"), [("", "give a folder"), ("*.csv", "check the pattern")])
def test_nothing_found_is_an_error(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(PipelineError, match=f"has no files; {words}"):
        collect_files([tmp_path / name])


def test_files_of_one_name_are_called_by_their_paths() -> None:
    assert names_of([Path("/a/x.txt"), Path("/a/y.txt"), Path("/b/x.txt")]) == ["/a/x.txt", "y.txt", "/b/x.txt"]
