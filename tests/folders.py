"""Data folders in tests: filled once for all test processes, filled by this process, compared by their bytes."""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from sentiment_pipeline import layout
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.engine.stage import Stage, run_stages
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.settings import Settings

NOT_COMPARED = (  # they hold times, process numbers and paths, or what was before
    layout.MANIFESTS,
    layout.LOCK,
    layout.SETTINGS,
    layout.RUNS,
    layout.MODEL_BEFORE,
)


def filled_once(factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], object]) -> Path:
    """A folder that one test process fills and all of them read; a test that changes it must copy it.

    Args:
        name: the folder's, the same in all processes.
        fill: called with the empty folder.
    """
    parent = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # a worker's base is a folder inside that of the whole test run
        parent = parent.parent
    folder = parent / name
    with (parent / f"{name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if lock.seek(0, os.SEEK_END) == 0:
            shutil.rmtree(folder, ignore_errors=True)  # left by a process that failed to fill it
            folder.mkdir()
            fill(folder)
            lock.write("filled")
    return folder


def run_here(settings: Settings, stages: Sequence[Stage[Settings]] = ()) -> set[str]:
    """Run stages (default: all) in this process; the names of those that had something to do."""
    from sentiment_pipeline.stages.pipeline import STAGES, open_data_folder  # torch takes seconds to import

    lines: list[str] = []
    with open_data_folder(settings) as run, ProcessExecutor(1) as executor:
        run_stages(run, stages or STAGES, executor, PlainObserver(lines.append))
    return stages_done(lines)


def stages_done(lines: Iterable[str]) -> set[str]:
    """The stages that had something to do, from the lines that a run printed."""
    return {line.partition(":")[0] for line in lines if " done in " in line}


def contents(data_dir: Path) -> dict[str, str]:
    """The SHA-256 of each file whose bytes are a function of inputs and settings, by its path in the folder."""
    return {name: sha256(path) for name, path in files_in(data_dir) if name.partition("/")[0] not in NOT_COMPARED}


def of_file(data_dir: Path, name: str) -> str:
    """The name of a file of a part, or of a step over it, in a folder of one file for each input.

    For example `ingest/train/5f2b6f0a91c3/part-00000` for `ingest/train/part-00000`.
    """

    def in_its_folder(found: re.Match[str]) -> str:
        (folder,) = (data_dir / "ingest" / found[1]).iterdir()
        return f"/{found[1]}/{folder.name}/{found[2]}-"

    return name if name.startswith("shards/") else re.sub("/(train|test)/(part|rejected)-", in_its_folder, name)


def files_in(data_dir: Path) -> Iterator[tuple[str, Path]]:
    """The files below a folder with their paths in it, sorted."""
    for path in sorted(data_dir.rglob("*")):
        if path.is_file():
            yield path.relative_to(data_dir).as_posix(), path
