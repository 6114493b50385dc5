"""What several folders of tests need: real reviews if there are any, a tiny sample, tiny settings, waiting."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny models lose more time waiting for threads than they gain by them

import pytest

from sentiment_pipeline.sample import write_sample

ROOT = Path(__file__).parents[1]
Found = TypeVar("Found")

TINY = """
preset = "quick"
[ingest]
shard_bytes = 65536
[model]
embedding = 8
hidden = 8
length = 40
ngram_buckets = 4096
[training]
epochs = 1
batch_size = 64
[execution]
workers = 2
[runtime]
tensorboard = false
"""


@pytest.fixture(scope="session")
def real_reviews() -> Path:
    """The folder of real reviews; its tests are skipped where it is missing."""
    folder = Path(os.environ.get("REVIEWS_DIR", ROOT.parent / "shared" / "data"))
    if not (folder / "imdb_train.ft.txt.bz2").exists():
        pytest.skip(f"no real reviews in {folder}; name their folder in REVIEWS_DIR")
    return folder


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.ft.txt.bz2 and test.ft.txt.bz2 of 1,500 synthetic reviews together."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, 1500, seed=1)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TOML file of settings that train in a second."""
    path = tmp_path_factory.mktemp("settings") / "tiny.toml"
    path.write_text(TINY)
    return path


def wait_until(condition: Callable[[], Found], seconds: float = 20) -> Found:
    """What `condition` returns, as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"still not true after {seconds} seconds"
        time.sleep(0.05)
    return found
