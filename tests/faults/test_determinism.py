"""The bytes that are published are a function of the inputs' bytes and the settings, and of nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.faults.processes import contents, run

TIMED = ("metrics.json", "report.html", "model/README.md", "training/history.jsonl")  # they tell how long it took


def test_two_folders_and_other_names_of_the_inputs(options: list[object], prepared: Path, tmp_path: Path) -> None:
    shutil.copy(str(options[1]), tmp_path / "a.bz2")
    shutil.copy(str(options[3]), tmp_path / "b")
    renamed = ["--train", tmp_path / "a.bz2", "--test", tmp_path / "b", *options[4:]]
    ended = run("prepare", *renamed, "--data-dir", tmp_path / "data")
    assert ended.code == 0, ended.stderr
    assert contents(tmp_path / "data") == contents(prepared)


def test_one_worker_and_four(options: list[object], prepared: Path, tmp_path: Path) -> None:
    """In an interpreter of its own, because forked ones would hash strings alike."""
    arguments = [*options, "--data-dir", tmp_path, "--set", "execution.workers=4"]
    environment = {**os.environ, "PYTHONHASHSEED": "4", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    subprocess.run(
        [sys.executable, "-m", "sentiment_pipeline", "prepare", *map(str, arguments)],
        env=environment,
        check=True,
        stderr=subprocess.DEVNULL,
    )
    assert contents(tmp_path) == contents(prepared)


def test_training_too(options: list[object], finished: Path, tmp_path: Path) -> None:
    assert run("run", *options, "--data-dir", tmp_path).code == 0
    ours, theirs = (
        {
            name: digest
            for name, digest in contents(each).items()
            if name not in TIMED and not name.startswith("checkpoints/")
        }
        for each in (tmp_path, finished)
    )
    assert ours == theirs
