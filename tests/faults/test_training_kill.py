"""SIGKILL at any moment of training, also while a checkpoint is written: the same weights, bit for bit.

`FAULT_REPETITIONS=100 FAULT_SEED=1` draws more moments, and others.
"""

import io
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import IO, Any

import pytest
import torch

from sentiment_pipeline.engine import files
from sentiment_pipeline.training import checkpoint, objectives, optimizer
from sentiment_pipeline.training.job import TrainResult
from sentiment_pipeline.training.train import train
from sentiment_pipeline.training.trainer import Trainer
from tests.conftest import wait_until
from tests.processes import REPETITIONS, TIMEOUT, Running, draw
from tests.training.examples import make_job, model_config, runtime_config, training_config

Fault = Callable[[Random], object]


def die_at_call(owner: Any, name: str, number: int, first: Callable[..., object] = lambda *arguments: None) -> None:
    """Let this process die at the `number`-th call of `owner.name`, after `first` with the call's arguments."""
    real, left = getattr(owner, name), [number]

    def called(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            first(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)

    setattr(owner, name, called)


def save_half(state: object, file: IO[bytes]) -> None:
    whole = io.BytesIO()
    torch.save(state, whole)
    file.write(whole.getvalue()[: whole.tell() // 2])
    file.flush()


def before_a_step(random: Random) -> None:
    die_at_call(Trainer, "train_step", random.randint(1, 20))


def within_a_step(random: Random) -> None:
    die_at_call(optimizer, "clip_grad_norm_", random.randint(1, 20))


def in_validation(random: Random) -> None:
    die_at_call(objectives, "metrics", random.randint(1, 2))


def halfway_through_a_checkpoint(random: Random) -> None:
    die_at_call(checkpoint.torch, "save", random.randint(1, 6), save_half)


def before_a_rename(random: Random) -> None:
    die_at_call(files.os, "replace", random.randint(1, 12))


def after_a_rename(random: Random) -> None:
    die_at_call(files, "_flush_folder", random.randint(1, 12))


def while_old_checkpoints_are_deleted(random: Random) -> None:
    die_at_call(checkpoint.Path, "unlink", random.randint(1, 8))


FAULTS = [
    before_a_step,
    within_a_step,
    in_validation,
    halfway_through_a_checkpoint,
    before_a_rename,
    after_a_rename,
    while_old_checkpoints_are_deleted,
]


def slow_steps(random: Random) -> None:
    train_step = Trainer.train_step

    def slow(self: Trainer, batch: Any) -> None:
        time.sleep(0.2)
        train_step(self, batch)

    Trainer.train_step = slow  # type: ignore[method-assign]


def work(folder: Path, fault: Fault | None, random: Random) -> None:
    """Train in `folder`, or resume training there, and write the result."""
    torch.set_num_threads(1)
    if fault:
        fault(random)
    train(make_job(folder, model_config(), training_config(), runtime_config())).write(folder / "result")


def start(folder: Path, fault: Fault | None = None, random: Random | None = None) -> Running:
    return Running(partial(work, folder, fault, random or Random(0)))


def run(folder: Path, fault: Fault | None = None, random: Random | None = None) -> int:
    """The exit code of a training that is run to its end."""
    with start(folder, fault, random) as running:
        return running.wait().code


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainResult, float]:
    """The result of a training that nothing disturbs, and the seconds it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    started = time.monotonic()
    assert run(folder) == 0
    return TrainResult.read(folder / "result"), time.monotonic() - started


def assert_same(folder: Path, expected: TrainResult) -> None:
    found = TrainResult.read(folder / "result")
    assert found.validation == expected.validation
    assert found.weights.keys() == expected.weights.keys()
    for name, weight in found.weights.items():
        assert torch.equal(weight, expected.weights[name]), name


@pytest.mark.parametrize("repetition", range(REPETITIONS))
@pytest.mark.parametrize("fault", FAULTS)
def test_killed_at_a_chosen_point(
    fault: Fault, repetition: int, tmp_path: Path, undisturbed: tuple[TrainResult, float]
) -> None:
    assert run(tmp_path, fault, draw(fault.__name__, repetition)) == -signal.SIGKILL
    assert run(tmp_path) == 0
    assert_same(tmp_path, undisturbed[0])


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_killed_repeatedly_at_random_moments(
    repetition: int, tmp_path: Path, undisturbed: tuple[TrainResult, float]
) -> None:
    (expected, seconds), random, codes = undisturbed, draw("moments", repetition), list[int]()
    for fraction in (random.uniform(0, 0.2), *(random.uniform(0, 1) for _ in range(20))):
        with start(tmp_path) as running:
            time.sleep(fraction * seconds)
            running.send(signal.SIGKILL)
            codes.append(running.wait().code)
        if codes[-1] == 0:
            break
    assert codes[0] == -signal.SIGKILL, "it had ended before it was killed"
    assert set(codes) <= {0, -signal.SIGKILL}
    assert run(tmp_path) == 0
    assert_same(tmp_path, expected)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_saves_the_state_and_ends_at_once(
    number: signal.Signals, tmp_path: Path, undisturbed: tuple[TrainResult, float]
) -> None:
    with start(tmp_path, slow_steps) as running:
        wait_until((tmp_path / "history.jsonl").exists, TIMEOUT)
        time.sleep(0.5)
        running.send(number)
        sent = time.monotonic()
        assert running.wait().code != 0
    assert time.monotonic() - sent < 10
    assert list((tmp_path / "checkpoints").glob("step-*.json"))
    assert run(tmp_path) == 0
    assert_same(tmp_path, undisturbed[0])
