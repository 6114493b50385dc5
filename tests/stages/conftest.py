"""A small folder in which everything is finished, and copies of it that may be changed."""

import shutil
from pathlib import Path
from typing import Protocol

import pytest

from sentiment_pipeline import settings
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import Run, Stage, run_stages
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages.pipeline import STAGES, open_data_folder


class MakeSettings(Protocol):
    def __call__(self, data_dir: Path, *assignments: str) -> Settings:
        """The settings of the finished folder, with other values by `group.name=VALUE`, for any data folder."""
        ...


@pytest.fixture(scope="session")
def made(sample: Path, tiny: Path) -> MakeSettings:
    files = {"train": sample / "train.ft.txt.bz2", "test": sample / "test.ft.txt.bz2"}
    return lambda data_dir, *assignments: settings.load({**files, "data_dir": data_dir}, tiny, assignments)


@pytest.fixture(scope="session")
def original(made: MakeSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which everything is finished; must not be changed."""
    folder = tmp_path_factory.mktemp("finished")
    run_here(made(folder))
    return folder


@pytest.fixture
def finished(original: Path, tmp_path: Path) -> Path:
    """A folder in which everything is finished; may be changed."""
    return Path(shutil.copytree(original, tmp_path / "finished"))


def run_here(chosen: Settings, stages: tuple[Stage[Settings], ...] = STAGES) -> set[str]:
    """Run stages in this process; the names of those in which there was something to do."""
    lines: list[str] = []
    with open_data_folder(chosen) as run, ProcessExecutor(1) as executor:
        run_stages(run, stages, executor, PlainObserver(lines.append))
    return {line.partition(":")[0] for line in lines if " done in " in line}


def run_of(chosen: Settings) -> Run[Settings]:
    return Run(chosen.data_dir, chosen)
