"""Two small files of reviews with bad lines among them, settings for them, and folders in which all is done."""

import bz2
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sentiment_pipeline.sample import write_sample
from tests.faults.processes import run

SETTINGS = """
preset = "quick"
[ingest]
shard_bytes = 65536
[model]
embedding = 8
hidden = 8
length = 40
tail = 0
ngrams = 1
ngram_buckets = 64
[training]
epochs = 2
batch_size = 256
[runtime]
device = "cpu"
tensorboard = false
[execution]
workers = 1
"""
BAD = [b"no label", b"__label__3 other", b"__label__1", b"__label__2  ", b"__label__1 \xff", b"__label__2 a\0b", b""]


@pytest.fixture(scope="session")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """The options that name the files and the settings; the training file is several shards."""
    folder = tmp_path_factory.mktemp("reviews")
    write_sample(folder, 3000, seed=2)
    for name in ("train", "test"):
        path = folder / f"{name}.ft.txt.bz2"
        path.write_bytes(bz2.compress(bz2.decompress(path.read_bytes()) + b"\n".join(BAD), 1))
    (folder / "settings.toml").write_text(SETTINGS)
    return [
        "--train",
        folder / "train.ft.txt.bz2",
        "--test",
        folder / "test.ft.txt.bz2",
        "--config",
        folder / "settings.toml",
    ]


@pytest.fixture(scope="session")
def prepared(options: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which `prepare` is done, in one process and undisturbed; not to be changed."""
    return done("prepare", options, tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="session")
def finished(options: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which everything is done, undisturbed; not to be changed."""
    return done("run", options, tmp_path_factory.mktemp("finished"))


def done(what: str, options: list[object], data_dir: Path) -> Path:
    ended = run(what, *options, "--data-dir", data_dir)
    assert ended.code == 0, ended.stderr
    return data_dir


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Path], Path]:
    """Copies a data folder to one that may be changed."""

    def copy(data_dir: Path) -> Path:
        return Path(shutil.copytree(data_dir, tmp_path / "copy", copy_function=shutil.copy2))

    return copy
