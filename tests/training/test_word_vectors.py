from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.training import word_vectors
from sentiment_pipeline.training.word_vectors import _PACKAGE, digest, locate, read_vectors

WORDS = ["_PAD", "_UNK", "the", "good", "...", "naïve"]


@pytest.fixture
def words(tmp_path: Path) -> Path:
    return write_words(tmp_path / "vocabulary.parquet")


def write_words(path: Path) -> Path:
    pq.write_table(pa.table({"token": WORDS, "count": [0, 0, 4, 3, 2, 1]}), path)
    return path


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["", "4 3\n"])
def test_known_words_get_the_numbers_of_the_file(tmp_path: Path, words: Path, header: str) -> None:
    text = header + "good 1 2 3\nnaïve -1e-2 0 0.5\nnowhere 7 7 7\n... 4 5 6\n"
    found = read_vectors(write(tmp_path / "v.txt", text), words, 4)
    assert found.dtype == np.float32
    expected = np.full((6, 4), np.nan, np.float32)
    expected[[3, 5, 4], :3] = np.array([[1, 2, 3], [-0.01, 0, 0.5], [4, 5, 6]])
    np.testing.assert_array_equal(found, expected)


def test_the_folder_of_the_package_gives_the_same(tmp_path: Path, words: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    pq.write_table(pa.table({"index": ["the", "else", "good"]}), folder / word_vectors._PACKAGE_WORDS)
    np.save(folder / word_vectors._PACKAGE_ARRAY, np.arange(6, dtype=np.float32).reshape(3, 2))
    text = write(tmp_path / "v.txt", "the 0 1\nelse 2 3\ngood 4 5\n")
    np.testing.assert_array_equal(read_vectors(folder, words, 2), read_vectors(text, words, 2))
    before = digest(folder)
    np.save(folder / word_vectors._PACKAGE_ARRAY, np.zeros((3, 2), np.float32))
    assert digest(folder) != before


@pytest.mark.parametrize(
    ("text", "size", "message"),
    [
        ("good 1 2 3\n", 2, "3 numbers, more than model.embedding"),
        ("good 1 two 3\n", 3, "cannot read the word vectors"),
        ("good 1 2\nthe 1 2 3\n", 2, "more than model.embedding"),
        ("", 3, "for no word"),
        ("elsewhere 1 2 3\n", 3, "for no word"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, words: Path, text: str, size: int, message: str
) -> None:
    with pytest.raises(PipelineError, match=message) as failure:
        read_vectors(write(tmp_path / "v.txt", text), words, size)
    assert "\n" not in str(failure.value)


@given(junk=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    folder = tmp_path_factory.mktemp("junk")
    (folder / "v.txt").write_bytes(b"good " + junk)
    with suppress(PipelineError):
        read_vectors(folder / "v.txt", write_words(folder / "vocabulary.parquet"), 3)


def test_a_setting_that_means_nothing_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"training\.vectors: there is no file .*absent\.txt"):
        locate(str(tmp_path / "absent.txt"))
    path = write(tmp_path / "v.txt", "good 1\n")
    assert locate(str(path)) == path

    def nothing(name: str) -> Any:
        return None

    monkeypatch.setattr(word_vectors, "find_spec", nothing)
    with pytest.raises(SettingsError, match=r"not installed; pip install sentiment-pipeline\[glove\]"):
        locate(_PACKAGE)


def test_the_package_where_it_is_installed(words: Path) -> None:
    pytest.importorskip(_PACKAGE.replace("-", "_"), reason="the optional word vectors are not installed")
    found = read_vectors(locate(_PACKAGE), words, 50)
    assert np.isfinite(found[[2, 3, 4, 5]]).all()
    assert np.isnan(found[:2]).all()
