"""The bytes that are published are a function of the inputs' bytes and the settings, and of nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from tests.folders import contents
from tests.processes import run

NAMING = ("rejected/train.parquet", "rejected/test.parquet")  # their column `file` names an input
TIMED = ("metrics.json", "report.html", "model/README.md", "training/history.jsonl")  # they hold times


def test_two_folders_and_other_names_of_the_inputs(
    reviews: Path, settings_options: list[object], prepared: Path, tmp_path: Path
) -> None:
    train = shutil.copy(reviews / "train.ft.txt.bz2", tmp_path / "a.bz2")
    test = shutil.copy(reviews / "test.ft.txt.bz2", tmp_path / "b")
    ended = run("prepare", "--train", train, "--test", test, *settings_options, "--data-dir", tmp_path / "data")
    assert ended.code == 0, ended.stderr
    assert named_alike(tmp_path / "data") == named_alike(prepared)


def test_one_worker_and_four(options: list[object], prepared: Path, tmp_path: Path) -> None:
    """In a new interpreter, because forked ones hash strings alike."""
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
    assert untimed(tmp_path) == untimed(finished)


def named_alike(data_dir: Path) -> dict[str, object]:
    """The bytes of every file, but for the tables that name their input: there the other columns."""
    tables = {name: pq.read_table(data_dir / name).drop_columns("file") for name in NAMING}
    return {**contents(data_dir), **tables}


def untimed(data_dir: Path) -> dict[str, str]:
    return {
        name: digest
        for name, digest in contents(data_dir).items()
        if name not in TIMED and not name.startswith("checkpoints/")
    }
