"""Settings or code change between two runs: exactly the stages that depend on them are done again."""

import shutil
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from tests.processes import run

Copy = Callable[[Path], Path]

STAGES = ("ingest", "tokenize", "quality", "vocabulary", "encode", "train", "evaluate", "publish")
PREPARE = STAGES[:5]


@pytest.mark.parametrize(
    ("setting", "done"),
    [
        ("ingest.shard_bytes=100_000", PREPARE),
        ("ingest.train_lines=1000", PREPARE),
        ("ingest.min_rejected_lines=200", ["ingest"]),
        ("cleaning.html_breaks=false", ["ingest"]),  # no review has any
        ("split.seed=1", ["vocabulary", "encode"]),
        ("vocabulary.min_count=3", ["vocabulary", "encode"]),
        ("vocabulary.unknown=_PAD", ["vocabulary", "encode"]),
        ("model.hidden=4", []),
        ("execution.workers=2", []),
    ],
)
def test_a_setting_of_prepare(setting: str, done: list[str], prepared: Path, copy: Copy, options: list[object]) -> None:
    ended = run("prepare", *options, "--data-dir", copy(prepared), "--set", setting)
    assert (ended.code, ended.done) == (0, set(done)), ended.stderr


@pytest.mark.parametrize(
    ("setting", "done"),
    [
        ("model.hidden=4", ["train", "evaluate", "publish"]),
        ("training.seed=1", ["train", "evaluate", "publish"]),
        ("runtime.log_every=7", []),
        ("runtime.checkpoint_every=3", []),
    ],
)
def test_a_setting_of_training(
    setting: str, done: list[str], finished: Path, copy: Copy, options: list[object]
) -> None:
    ended = run("run", *options, "--data-dir", copy(finished), "--set", setting)
    assert (ended.code, ended.done) == (0, set(done)), ended.stderr


def raise_version(module: str, name: str) -> None:
    found = import_module(f"sentiment_pipeline.{module}")
    assert hasattr(found, name)
    setattr(found, name, 1_000)


@pytest.mark.parametrize(
    ("module", "name", "done"),
    [
        ("stages.ingest", "_VERSION", ["ingest", "publish"]),  # with the same bytes as before
        ("text.tokenizer", "VERSION", [each for each in STAGES[1:] if each != "quality"]),
        ("stages.vocabulary", "_VERSION", ["vocabulary", "publish"]),  # likewise
        ("stages.encode", "_VERSION", STAGES[4:]),
        ("stages.train", "_VERSION", STAGES[5:]),
        ("stages.evaluate", "_VERSION", ["evaluate"]),  # likewise
        ("stages.publish", "_VERSION", ["publish"]),
    ],
)
def test_a_version_of_the_code(
    module: str, name: str, done: list[str], finished: Path, copy: Copy, options: list[object]
) -> None:
    folder, fault = copy(finished), partial(raise_version, module, name)
    assert "-> 1000" in run("status", "--data-dir", folder, fault=fault).stdout
    ended = run("run", *options, "--data-dir", folder, fault=fault)
    assert (ended.code, ended.done) == (0, set(done)), ended.stderr


@pytest.mark.parametrize(
    ("setting", "words"),
    [("model.hidden=4", "model.hidden is 8 there, 4 here"), ("vocabulary.min_count=3", "vocabulary_size is ")],
)
def test_a_checkpoint_of_another_model_is_refused_by_name(
    setting: str, words: str, finished: Path, copy: Copy, options: list[object]
) -> None:
    folder = copy(finished)
    assert run("train", *options, "--data-dir", folder, "--set", setting).code == 0
    (other,), (checkpoints,) = (list(each.glob("checkpoints/*")) for each in (finished, folder))
    shutil.copytree(other, checkpoints, dirs_exist_ok=True)
    (folder / "manifests" / "train.json").unlink()
    ended = run("train", *options, "--data-dir", folder, "--set", setting)
    assert ended.code == 1
    assert words in ended.stderr
    assert f"delete {checkpoints} to train from the start" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("vocabulary.min_count=0", "vocabulary.min_count"),
        ("model.pooling=median", "model.pooling"),
        ("training.epochs=2.5", "training.epochs"),
        ("training.learning_rate=nan", "training.learning_rate"),
        ("split.fraction=1.0", "split.fraction"),
        ("no.such=1", "no is not a setting"),
    ],
)
def test_a_wrong_value_is_refused_before_work_starts(
    setting: str, words: str, options: list[object], tmp_path: Path
) -> None:
    ended = run("run", *options, "--data-dir", tmp_path / "data", "--set", setting)
    assert (ended.code, len(ended.stderr.splitlines())) == (2, 1)
    assert words in ended.stderr
    assert not (tmp_path / "data").exists()
