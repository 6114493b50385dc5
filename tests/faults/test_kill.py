"""SIGKILL in the middle of prepare: no partial file counts, nothing finished is lost, the bytes are the same.

`FAULT_REPETITIONS=100 FAULT_SEED=1` draws more moments, and others.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sentiment_pipeline.engine.manifest import read, recorded_steps
from tests.folders import contents
from tests.processes import REPETITIONS, draw, run, stamps, start

STAGES = {
    "ingest": ("ingest", "rejected"),
    "tokenize": ("tokens",),
    "vocabulary": ("vocabulary",),
    "encode": ("shards", "packed"),
}
CHANGES = ("os.mkdir", "os.remove", "os.rename")
WRITING = os.O_WRONLY | os.O_RDWR
WORKERS = ("--set", "execution.workers=2")


def at_each_change(folder: Path, act: Callable[[int, str], object]) -> None:
    """From now on, call `act(number, path)` before this process makes or replaces a file in `folder`."""
    count = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event in CHANGES or (event == "open" and arguments[2] & WRITING):
            path = str(arguments[1] if event == "os.rename" else arguments[0])
            if path.startswith(f"{folder}/"):
                count += 1
                act(count, path)

    sys.addaudithook(hook)


def log_changes(folder: Path, log: Path) -> None:
    at_each_change(folder, lambda number, path: os.write(descriptor, f"{path}\n".encode()))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)


def die_at_change(folder: Path, moment: int) -> None:
    def die(number: int, path: str) -> None:
        if number == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    at_each_change(folder, die)


@pytest.fixture(scope="module")
def moments(options: list[object], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files that prepare makes or replaces, in order; each is a moment at which it can be killed."""
    folder = tmp_path_factory.mktemp("moments")
    log = folder / "log"
    run("prepare", *options, "--data-dir", folder / "data", fault=partial(log_changes, folder / "data", log))
    return [path.removeprefix(f"{folder / 'data'}/") for path in log.read_text().splitlines()]


@pytest.mark.parametrize("stage", STAGES)
def test_killed_before_a_change_of_a_stage(
    stage: str, moments: list[str], options: list[object], prepared: Path, tmp_path: Path
) -> None:
    own = (*STAGES[stage], f"manifests/{stage}")
    within = [number for number, path in enumerate(moments, 1) if path.startswith(own)]
    for moment in draw(stage).sample(within, min(REPETITIONS, len(within))):
        data_dir = tmp_path / str(moment)
        killed = run("prepare", *options, "--data-dir", data_dir, fault=partial(die_at_change, data_dir, moment))
        assert killed.code == -signal.SIGKILL
        assert_continues(options, data_dir, prepared)
        shutil.rmtree(data_dir)


@pytest.fixture(scope="module")
def seconds(options: list[object], tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long prepare takes with two workers if nothing disturbs it."""
    started = time.monotonic()
    assert run("prepare", *options, *WORKERS, "--data-dir", tmp_path_factory.mktemp("undisturbed")).code == 0
    return time.monotonic() - started


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_killed_repeatedly_at_random_moments_with_workers(
    repetition: int, options: list[object], prepared: Path, seconds: float, tmp_path: Path
) -> None:
    options, random, codes = [*options, *WORKERS], draw(repetition), list[int]()
    for fraction in (random.uniform(0.1, 0.5), random.uniform(0.1, 0.9)):
        with start("prepare", *options, "--data-dir", tmp_path) as running:
            time.sleep(fraction * seconds)
            running.send(signal.SIGKILL)
            codes.append(running.wait().code)
    assert codes[0] == -signal.SIGKILL, "it had ended before it was killed"
    assert_continues(options, tmp_path, prepared)


def assert_continues(options: list[object], data_dir: Path, reference: Path) -> None:
    """What a killed run left is whole; the next run gives the reference's bytes and does only what was unfinished."""
    expected = contents(reference)
    left = {name: digest for name, digest in contents(data_dir).items() if not name.endswith(".tmp")}
    assert left.items() <= expected.items(), "a partial file under a final name"
    before = stamps(data_dir)
    ended = run("prepare", *options, "--data-dir", data_dir)
    assert ended.code == 0, ended.stderr
    assert contents(data_dir) == expected
    after, kept = stamps(data_dir), finished_before(data_dir, before)
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}, "done twice"


def finished_before(data_dir: Path, stamps_before: dict[str, tuple[int, int]]) -> set[str]:
    """The manifests that were there, and the files that they describe."""
    recorded = [step for step in recorded_steps(data_dir) if f"manifests/{step}.json" in stamps_before]
    manifests = [manifest for step in recorded if (manifest := read(data_dir, step))]
    return {f"manifests/{step}.json" for step in recorded} | {name for each in manifests for name in each.outputs}
