"""SIGKILL between the renames of model folders: a whole model at every moment, and the next run finishes the rest."""

import os
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sentiment_pipeline.engine import files, manifest
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.predict import Predictor
from tests.processes import run

OTHER = ("--set", "training.seed=5")


def die_at_exchange(at_once: bool, moment: int) -> None:
    """From now on, this process is killed before its change number `moment` of the model folders.

    The last one is the manifest of `publish`.

    Args:
        at_once: whether the file system exchanges two folders in one step; otherwise each rename is a change.
    """
    count = 0

    def dying(work: Callable[..., Any], is_meant: Callable[..., bool]) -> Callable[..., Any]:
        def act(*arguments: Any) -> Any:
            nonlocal count
            count += is_meant(*arguments)
            if count > moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return work(*arguments)

        return act

    exchange = files._exchanged_at_once if at_once else lambda *folders: False
    files._exchanged_at_once = dying(exchange, lambda *folders: at_once)
    Path.rename = dying(Path.rename, lambda path, _: not at_once and path.is_dir())  # type: ignore[method-assign]
    manifest.record = dying(manifest.record, lambda _, step, *others: step == "publish")


def models(data_dir: Path) -> dict[str, str]:
    """The weights in each model folder."""
    return {path.parent.name: sha256(path) for path in data_dir.glob("model*/model.safetensors")}


@pytest.fixture
def published_twice(options: list[object], finished: Path, tmp_path: Path) -> Path:
    """A data folder with a published model and one before it."""
    data_dir = tmp_path / "data"
    shutil.copytree(finished, data_dir)
    assert run("run", *options, "--data-dir", data_dir, *OTHER).done == {"train", "evaluate", "publish"}
    return data_dir


@pytest.mark.parametrize(("at_once", "moment"), [(True, 0), (True, 1), (True, 2), (False, 1), (False, 4)])
def test_killed_while_it_publishes(
    at_once: bool, moment: int, options: list[object], published_twice: Path, tmp_path: Path
) -> None:
    data_dir, again, before = published_twice, ("--set", "training.seed=6"), models(published_twice)
    fault = partial(die_at_exchange, at_once, moment)
    assert run("run", *options, "--data-dir", data_dir, *again, fault=fault).code == -signal.SIGKILL
    if at_once:
        Predictor(data_dir / "model")
    ended = run("run", *options, "--data-dir", data_dir, *again)
    assert (ended.code, ended.done) == (0, {"publish"}), ended.stderr
    assert models(data_dir)["model-before"] == before["model"]
    assert models(data_dir)["model"] not in before.values()
    assert sorted(path.name for path in data_dir.glob("model*")) == ["model", "model-before"]
    assert run("verify", "--data-dir", data_dir).code == 0


@pytest.mark.parametrize(("at_once", "moment"), [(True, 0), (True, 1), (False, 1), (False, 2)])
def test_killed_while_it_promotes(at_once: bool, moment: int, options: list[object], published_twice: Path) -> None:
    data_dir, before = published_twice, models(published_twice)
    fault = partial(die_at_exchange, at_once, moment)
    assert run("promote", "--data-dir", data_dir, fault=fault).code == -signal.SIGKILL
    if at_once:
        Predictor(data_dir / "model")
    assert run("promote", "--data-dir", data_dir).code == 0
    assert models(data_dir) == {"model": before["model-before"], "model-before": before["model"]}
    Predictor(data_dir / "model")
    assert run("verify", "--data-dir", data_dir).code == 0
    assert run("run", *options, "--data-dir", data_dir, *OTHER).done == set()
