"""A small folder in which everything is done, in this process, and copies of it that may be changed."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sentiment_pipeline import settings
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import Run, Stage, run_stages
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.stages.pipeline import STAGES, open_data_folder

Settings = Callable[..., Any]


@pytest.fixture(scope="session")
def made(sample: Path, tiny: Path) -> Settings:
    """Makes the settings of the finished folder, with changes, for any data folder."""
    files = {"train": sample / "train.ft.txt.bz2", "test": sample / "test.ft.txt.bz2"}
    return lambda data_dir, *changes: settings.load({**files, "data_dir": data_dir}, tiny, changes)


@pytest.fixture(scope="session")
def original(made: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    done(made(folder))
    return folder


@pytest.fixture
def finished(original: Path, tmp_path: Path) -> Path:
    """A folder in which everything is done; may be changed."""
    return Path(shutil.copytree(original, tmp_path / "finished"))


def done(chosen: Any, stages: tuple[Stage, ...] = STAGES) -> set[str]:
    """Run stages; the names of those in which there was something to do."""
    lines: list[str] = []
    with open_data_folder(chosen) as run, ProcessExecutor(1) as executor:
        run_stages(run, stages, executor, PlainObserver(lines.append))
    return {line.partition(":")[0] for line in lines if " done in " in line}


def run_in(chosen: Any) -> Run:
    return Run(chosen.data_dir, chosen)
