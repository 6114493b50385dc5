import bz2
from collections.abc import Mapping
from pathlib import Path

import pytest

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.sample.reviews import BLOCK_REVIEWS, make_block

REVIEWS = 2 * BLOCK_REVIEWS + 500


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, REVIEWS, 3, workers=2)
    return folder


def test_nine_tenths_are_for_training_and_the_rest_for_testing(folder: Path) -> None:
    train = bz2.decompress((folder / "train.ft.txt.bz2").read_bytes()).splitlines(keepends=True)
    test = bz2.decompress((folder / "test.ft.txt.bz2").read_bytes()).splitlines(keepends=True)
    assert (len(train), len(test)) == (REVIEWS * 9 // 10, REVIEWS // 10)
    assert train + test == [*make_block(3, 0), *make_block(3, 1), *make_block(3, 2)][:REVIEWS]
    assert sorted(path.name for path in folder.iterdir()) == ["test.ft.txt.bz2", "train.ft.txt.bz2"]


def test_bytes_do_not_depend_on_the_number_of_processes(folder: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, REVIEWS, 3, workers=1)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_progress_adds_up(tmp_path: Path) -> None:
    figures: list[Mapping[str, int]] = []
    write_sample(tmp_path / "new" / "folder", 100, 0, figures.append, workers=1)
    assert figures == [{"step": 90, "steps": 100}, {"step": 100, "steps": 100}]


@pytest.mark.parametrize(("reviews", "seed"), [(9, 0), (0, 0), (-1, 0), (10, -1)])
def test_too_few_reviews_and_negative_seeds_are_refused(tmp_path: Path, reviews: int, seed: int) -> None:
    with pytest.raises(SettingsError, match="at least 10 reviews"):
        write_sample(tmp_path, reviews, seed)


@pytest.mark.parametrize("name", ["train.ft.txt.bz2", "test.ft.txt.bz2"])
def test_files_that_exist_are_not_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"real and dear")
    with pytest.raises(PipelineError, match=f"{name} exists; delete it"):
        write_sample(tmp_path, 20, 0, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"real and dear"


def test_an_interrupted_sample_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(figures: Mapping[str, int]) -> None:
        if figures["step"] == figures["steps"]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path, 20, 0, interrupt, workers=1)
    assert list(tmp_path.iterdir()) == []
