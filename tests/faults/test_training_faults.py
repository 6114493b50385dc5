"""Training that runs out of memory, loses its numbers or a worker, or is told to stop: one line, and the state kept."""

import json
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults.processes import REPETITIONS, Ended, contents, draw, run, start
from tests.faults.test_inputs import MEBIBYTE, limit_memory

Copy = Callable[[Path], Path]
WEIGHTS = "training/model.safetensors"
POISONED = 15  # a step of the second epoch; the first ends with a checkpoint


def assert_one_line(ended: Ended, *words: str) -> None:
    assert ended.code == 1, ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    for word in words:
        assert word in ended.stderr.splitlines()[-1], ended.stderr


def assert_goes_on(options: list[object], folder: Path, finished: Path) -> None:
    """From a checkpoint, to the weights of the run that was not disturbed."""
    assert list(folder.glob("checkpoints/*/step-*.json"))
    assert not (folder / "manifests" / "train.json").exists()
    ended = run("run", *options, "--data-dir", folder)
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
    """Call `act(trainer)` before a step of training."""
    from sentiment_pipeline.training.trainer import Trainer

    learn = Trainer.learn

    def learn_after_it(self: Any, batch: object) -> None:
        if self.progress.step == step:
            act(self)
        learn(self, batch)

    Trainer.learn = learn_after_it  # type: ignore[method-assign, assignment]


def lose_numbers(trainer: Any) -> None:
    trainer.model.linear.weight.data.fill_(float("nan"))


def kill_a_loader_worker(trainer: Any) -> None:
    psutil.Process().children()[0].kill()


def test_a_loss_that_is_no_number(options: list[object], prepared: Path, finished: Path, copy: Copy) -> None:
    folder = copy(prepared)
    ended = run("train", *options, "--data-dir", folder, fault=partial(at_step, POISONED, lose_numbers))
    assert_one_line(ended, "the loss is no number any more", "training.learning_rate", "checkpoint is kept")
    assert_goes_on(options, folder, finished)


def test_a_killed_loader_worker(options: list[object], prepared: Path, finished: Path, copy: Copy) -> None:
    folder = copy(prepared)
    ended = run(
        "train",
        *options,
        "--data-dir",
        folder,
        "--set",
        "runtime.loader_workers=1",
        fault=partial(at_step, POISONED, kill_a_loader_worker),
    )
    assert_one_line(ended, "worker", "run again")
    assert_goes_on(options, folder, finished)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_training_saves_the_state(
    number: signal.Signals, code: int, options: list[object], prepared: Path, copy: Copy
) -> None:
    folder = copy(prepared)
    long = [
        *options,
        "--set",
        "training.epochs=1000",
        "--set",
        "runtime.checkpoint_every=0",
        "--set",
        "runtime.log_every=1",
    ]
    with start("train", *long, "--data-dir", folder) as running:
        while not (last := last_step(folder)):
            time.sleep(0.05)
        running.send(number)
        ended = running.wait()
    assert ended.code == code, ended.stderr
    (saved, *_) = sorted(folder.glob("checkpoints/*/step-*.pt"), reverse=True)
    assert int(saved.stem.removeprefix("step-")) >= last
    assert not list(folder.rglob("*.tmp"))


def last_step(folder: Path) -> int:
    lines = [line for path in folder.glob("checkpoints/*/history.jsonl") for line in path.read_text().splitlines()]
    return int(json.loads(lines[-2])["step"]) if len(lines) > 1 else 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_a_signal_at_any_time(
    repetition: int, number: signal.Signals, options: list[object], finished: Path, tmp_path: Path
) -> None:
    moment = draw(repetition, number).uniform(0.05, 6)
    with start("run", *options, "--data-dir", tmp_path, "--set", "execution.workers=2") as running:
        time.sleep(moment)
        running.send(number)
        ended = running.wait()
    assert ended.code in (0, -number, 128 + number), ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    assert run("run", *options, "--data-dir", tmp_path).code == 0
    assert not list(tmp_path.rglob("*.tmp"))  # ended workers leave theirs to the next run
    ours, theirs = (
        {
            name: digest
            for name, digest in contents(each).items()
            if name.startswith(("shards", "packed", "vocabulary", WEIGHTS))
        }
        for each in (tmp_path, finished)
    )
    assert ours == theirs
