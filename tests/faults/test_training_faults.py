"""Training that runs out of memory, diverges, loses a worker or is told to stop: one line, and the state is kept."""

import json
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import wait_until
from tests.folders import contents
from tests.processes import MEBIBYTE, REPETITIONS, TIMEOUT, Ended, draw, limit_memory, run, start

Copy = Callable[[Path], Path]
WEIGHTS = "training/model.safetensors"
LATE_STEP = 30  # a training step of the second epoch; the first ends with a checkpoint


def assert_one_line(ended: Ended, *words: str) -> None:
    assert ended.code == 1, ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    for word in words:
        assert word in ended.stderr.splitlines()[-1], ended.stderr


def assert_resumes(options: list[object], folder: Path, finished: Path) -> None:
    """Training resumes from a checkpoint and gives the weights of the run that was not disturbed."""
    assert list(folder.glob("checkpoints/*/step-*.json"))
    assert not (folder / "manifests" / "train.json").exists()
    ended = run("train", *options, "--data-dir", folder)
    assert ended.code == 0, ended.stderr
    assert contents(folder)[WEIGHTS] == contents(finished)[WEIGHTS]


def test_out_of_memory(options: list[object], prepared: Path, copy: Copy) -> None:
    ended = run(
        "train",
        *options,
        "--data-dir",
        copy(prepared),
        "--set",
        "model.hidden=4096",
        fault=partial(limit_memory, 700 * MEBIBYTE),
    )
    assert_one_line(ended, "out of memory; lower training.batch_size")


def at_step(step: int, act: Callable[[Any], object]) -> None:
    """Call `act(trainer)` before a training step."""
    from sentiment_pipeline.training.trainer import Trainer

    train_step = Trainer.train_step

    def act_and_step(self: Any, batch: Any) -> None:
        if self.progress.step == step:
            act(self)
        train_step(self, batch)

    Trainer.train_step = act_and_step  # type: ignore[method-assign, assignment]


def set_a_weight_to_nan(trainer: Any) -> None:
    trainer.model.linear.weight.data.fill_(float("nan"))


def kill_a_loader_worker(trainer: Any) -> None:
    psutil.Process().children()[0].kill()


def test_a_loss_that_is_nan(options: list[object], prepared: Path, finished: Path, copy: Copy) -> None:
    folder = copy(prepared)
    ended = run("train", *options, "--data-dir", folder, fault=partial(at_step, LATE_STEP, set_a_weight_to_nan))
    assert_one_line(ended, "the loss is NaN or infinite", "training.learning_rate", "checkpoint is kept")
    assert_resumes(options, folder, finished)


def test_a_killed_loader_worker(options: list[object], prepared: Path, finished: Path, copy: Copy) -> None:
    folder = copy(prepared)
    ended = run(
        "train",
        *options,
        "--data-dir",
        folder,
        "--set",
        "runtime.loader_workers=1",
        fault=partial(at_step, LATE_STEP, kill_a_loader_worker),
    )
    assert_one_line(ended, "worker", "run again")
    assert_resumes(options, folder, finished)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_training_saves_the_state(
    number: signal.Signals, code: int, options: list[object], prepared: Path, copy: Copy
) -> None:
    folder = copy(prepared)
    long = ["training.epochs=1000", "runtime.checkpoint_every=0", "runtime.log_every=1"]
    assignments = [word for setting in long for word in ("--set", setting)]
    with start("train", *options, *assignments, "--data-dir", folder) as running:
        last = wait_until(lambda: last_step(folder), TIMEOUT)
        running.send(number)
        ended = running.wait()
    assert ended.code == code, ended.stderr
    (saved, *_) = sorted(folder.glob("checkpoints/*/step-*.pt"), reverse=True)
    assert int(saved.stem.removeprefix("step-")) >= last
    assert not list(folder.rglob("*.tmp"))


def last_step(folder: Path) -> int:
    """The training step of the last but one line of figures; 0 without one."""
    lines = [line for path in folder.glob("checkpoints/*/history.jsonl") for line in path.read_text().splitlines()]
    return int(json.loads(lines[-2])["step"]) if len(lines) > 1 else 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_a_signal_at_any_time(
    repetition: int, number: signal.Signals, options: list[object], finished: Path, tmp_path: Path
) -> None:
    moment = draw(repetition, number).uniform(0.05, 4)
    with start("run", *options, "--data-dir", tmp_path, "--set", "execution.workers=2") as running:
        time.sleep(moment)
        running.send(number)
        ended = running.wait()
    assert ended.code in (0, -number, 128 + number), ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    assert run("run", *options, "--data-dir", tmp_path).code == 0
    assert not list(tmp_path.rglob("*.tmp"))  # workers that were ended leave theirs to the next run
    assert untimed(tmp_path) == untimed(finished)


def untimed(data_dir: Path) -> dict[str, str]:
    kinds = ("shards", "packed", "vocabulary", WEIGHTS)
    return {name: digest for name, digest in contents(data_dir).items() if name.startswith(kinds)}
