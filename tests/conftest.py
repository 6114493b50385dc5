"""What several folders of tests share: real reviews if there are any, a sample, settings, a finished data folder."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny models lose more time waiting for threads than they gain by them
os.environ.setdefault("PYTHONFAULTHANDLER", "1")  # every process that a test starts prints a traceback when it crashes

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.settings import Settings, load
from tests.folders import filled_once, run_here

ROOT = Path(__file__).parents[1]
PATIENCE = 600  # seconds that a test waits for what usually takes one; only a hang should fail on a busy machine
hypothesis.settings.register_profile(
    "busy machine",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("busy machine")
Found = TypeVar("Found")

TINY = """
preset = "quick"
[ingest]
shard_bytes = 65536
[model]
embedding = 8
hidden = 8
length = 40
tail = 30
ngram_buckets = 4096
[training]
epochs = 1
batch_size = 64
[execution]
workers = 2
[runtime]
tensorboard = false
"""


class ScheduleByFile(LoadScopeScheduling):
    """Lets pytest-xdist run the tests of a file in one process, and those of the flows in the one with the server."""

    def _split_scope(self, nodeid: str) -> str:
        return "flows" if nodeid.startswith("tests/flows/") else nodeid.partition("::")[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The flows first: they take longest, one after the other, and wait much for their server."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/flows/"))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ScheduleByFile:
    return ScheduleByFile(config, log)


class MakeSettings(Protocol):
    def __call__(self, data_dir: Path, *assignments: str) -> Settings:
        """The tiny settings for the sample and a data folder, with other values by `group.name=VALUE`."""
        ...


@pytest.fixture(scope="session")
def real_reviews() -> Path:
    """The folder of real reviews; its tests are skipped where it is missing."""
    folder = Path(os.environ.get("REVIEWS_DIR", ROOT.parent / "shared" / "data"))
    if not (folder / "imdb_train.ft.txt.bz2").exists():
        pytest.skip(f"no real reviews in {folder}; name their folder in REVIEWS_DIR")
    return folder


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.ft.txt.bz2 and test.ft.txt.bz2 of 1,500 synthetic reviews together; not to be changed."""
    return filled_once(tmp_path_factory, "sample", lambda folder: write_sample(folder, 1500, seed=1))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TOML file of settings that train in a second."""
    path = tmp_path_factory.mktemp("settings") / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def make_settings(sample: Path, tiny: Path) -> MakeSettings:
    files = {name: sample / f"{name}.ft.txt.bz2" for name in ("train", "test")}
    return lambda data_dir, *assignments: load({**files, "data_dir": data_dir}, tiny, assignments)


@pytest.fixture(scope="session")
def trained(make_settings: MakeSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which everything is finished, of the tiny settings and the sample; not to be changed."""
    return filled_once(tmp_path_factory, "trained", lambda folder: run_here(make_settings(folder)))


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Path], Path]:
    """Copies a data folder to one that may be changed."""
    return lambda data_dir: Path(shutil.copytree(data_dir, tmp_path / "copy"))


def wait_until(condition: Callable[[], Found], seconds: float = PATIENCE, interval: float = 0.05) -> Found:
    """What `condition` returns, as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"still not true after {seconds} seconds"
        time.sleep(interval)
    return found
