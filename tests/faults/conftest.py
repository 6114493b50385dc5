"""Two small files of reviews with bad lines among them, options for them, and folders in which all is finished."""

import bz2
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.folders import filled_once
from tests.processes import run

BAD = [b"no label", b"__label__3 other", b"__label__1", b"__label__2  ", b"__label__1 \xff", b"__label__2 a\0b", b""]
LIMITS = ("RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_STACK")


@pytest.fixture(scope="session")
def reviews(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.ft.txt.bz2, which is several shards, and test.ft.txt.bz2: the sample and bad lines."""

    def fill(folder: Path) -> None:
        for path in sample.glob("*.bz2"):
            text = bz2.decompress(path.read_bytes()) + b"\n".join(BAD)
            (folder / path.name).write_bytes(bz2.compress(text, 1))

    return filled_once(tmp_path_factory, "reviews", fill)


@pytest.fixture(scope="session")
def settings_options(tiny: Path) -> list[object]:
    """The options that choose the settings."""
    return ["--config", tiny, "--set", "training.epochs=2", "--set", "execution.workers=1"]


@pytest.fixture(scope="session")
def options(reviews: Path, settings_options: list[object]) -> list[object]:
    """The options that name the files of reviews and choose the settings."""
    return ["--train", reviews / "train.ft.txt.bz2", "--test", reviews / "test.ft.txt.bz2", *settings_options]


@pytest.fixture(scope="session")
def prepared(options: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that `prepare` has finished, in one process and undisturbed; not to be changed."""
    return filled_once(tmp_path_factory, "prepared", lambda folder: finish("prepare", options, folder))


@pytest.fixture(scope="session")
def finished(options: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which everything is finished, undisturbed; not to be changed."""
    return filled_once(tmp_path_factory, "finished", lambda folder: finish("run", options, folder))


def finish(command: str, options: list[object], data_dir: Path) -> None:
    ended = run(command, *options, "--data-dir", data_dir)
    assert ended.code == 0, ended.stderr


@pytest.fixture(scope="session", autouse=True)
def fork_server() -> None:
    """Start the server of processes, which takes seconds, before a test measures time."""
    assert run("--help").code == 0


@pytest.fixture(autouse=True)
def same_process() -> Iterator[None]:
    """Faults are for the processes that tests start: none leaves a limit or a signal handler behind in this one."""
    before = process_state()
    yield
    assert process_state() == before


def process_state() -> dict[str, object]:
    limits = {name: resource.getrlimit(getattr(resource, name)) for name in LIMITS}
    return {**limits, **{number.name: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}}
