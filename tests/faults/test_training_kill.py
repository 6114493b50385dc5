"""SIGKILL at any moment of training, the writing of a checkpoint included: the same weights, bit for bit.

`FAULT_REPETITIONS=100 FAULT_SEED=1` draws other moments, and more of them.
"""

import io
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import IO, Any

import pytest
import torch

from sentiment_pipeline.engine import files
from sentiment_pipeline.training import checkpoint, objectives, trainer
from sentiment_pipeline.training.job import Job, TrainResult
from sentiment_pipeline.training.trainer import Trainer, train
from tests.faults.processes import REPETITIONS, draw
from tests.training.examples import make_job, model_config, runtime_config, training_config

PATIENCE = 300  # seconds after which a run counts as hanging
Fault = Callable[[Random], object]


def die(*arguments: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_call(owner: Any, name: str, number: int, first: Callable[..., object]) -> None:
    """Let this process die at the `number`-th call of `owner.name`, after `first` with the call's arguments."""
    real, left = getattr(owner, name), [number]

    def called(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            first(*arguments)
            die()
        return real(*arguments, **named)

    setattr(owner, name, called)


def half_a_checkpoint(state: object, file: IO[bytes]) -> None:
    whole = io.BytesIO()
    torch.save(state, whole)
    file.write(whole.getvalue()[: whole.tell() // 2])
    file.flush()


def in_a_step(random: Random) -> None:
    die_at_call(Trainer, "learn", random.randint(1, 20), lambda *arguments: None)


def in_the_middle_of_a_step(random: Random) -> None:
    die_at_call(trainer, "clip_grad_norm_", random.randint(1, 20), lambda *arguments: None)


def in_a_validation(random: Random) -> None:
    die_at_call(objectives, "metrics", random.randint(1, 2), lambda *arguments: None)


def half_way_through_a_checkpoint(random: Random) -> None:
    die_at_call(checkpoint.torch, "save", random.randint(1, 6), half_a_checkpoint)


def before_a_file_gets_its_name(random: Random) -> None:
    die_at_call(files.os, "replace", random.randint(1, 12), lambda *arguments: None)


def after_a_file_got_its_name(random: Random) -> None:
    die_at_call(files, "flush_folder", random.randint(1, 12), lambda *arguments: None)


def while_old_checkpoints_are_deleted(random: Random) -> None:
    die_at_call(checkpoint.Path, "unlink", random.randint(1, 8), lambda *arguments: None)


FAULTS = [
    in_a_step,
    in_the_middle_of_a_step,
    in_a_validation,
    half_way_through_a_checkpoint,
    before_a_file_gets_its_name,
    after_a_file_got_its_name,
    while_old_checkpoints_are_deleted,
]


def job_in(folder: Path) -> Job:
    return make_job(folder, model_config(), training_config(), runtime_config())


def work(folder: Path, fault: Fault | None, random: Random) -> None:
    torch.set_num_threads(1)
    if fault:
        fault(random)
    train(job_in(folder)).write(folder / "result")


def started(folder: Path, fault: Fault | None, random: Random) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=work, args=(folder, fault, random))
    process.start()
    return process


def ended(process: BaseProcess) -> int:
    process.join(PATIENCE)
    hangs = process.exitcode is None
    if hangs:
        process.kill()
        process.join()
    assert not hangs, f"still training after {PATIENCE} s"
    return process.exitcode or 0


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert ended(started(folder, None, Random(0))) == 0
    return TrainResult.read(folder / "result")


def assert_same(folder: Path, expected: TrainResult) -> None:
    found = TrainResult.read(folder / "result")
    assert found.validation == expected.validation
    assert found.weights.keys() == expected.weights.keys()
    for name, weight in found.weights.items():
        assert torch.equal(weight, expected.weights[name]), name


@pytest.mark.parametrize("repetition", range(REPETITIONS))
@pytest.mark.parametrize("fault", FAULTS)
def test_killed_at_a_chosen_place(fault: Fault, repetition: int, tmp_path: Path, uninterrupted: TrainResult) -> None:
    random = draw(fault.__name__, repetition)
    assert ended(started(tmp_path, fault, random)) == -signal.SIGKILL
    assert ended(started(tmp_path, None, random)) == 0
    assert_same(tmp_path, uninterrupted)


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_killed_at_random_moments_again_and_again(repetition: int, tmp_path: Path, uninterrupted: TrainResult) -> None:
    random, kills = draw("moments", repetition), 0
    while kills < 20:
        process = started(tmp_path, None, random)
        time.sleep(random.uniform(0, 1.0))
        process.kill()
        kills += 1
        if ended(process) == 0:
            break
    if not (tmp_path / "result" / "result.json").exists():
        assert ended(started(tmp_path, None, random)) == 0
    assert_same(tmp_path, uninterrupted)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_saves_and_ends_at_once(
    number: signal.Signals, tmp_path: Path, uninterrupted: TrainResult
) -> None:
    process = started(tmp_path, slowly, Random(0))
    while not list(tmp_path.glob("history.jsonl")):
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(process.pid or 0, number)
    begun = time.monotonic()
    assert ended(process) != 0
    assert time.monotonic() - begun < 10
    assert list((tmp_path / "checkpoints").glob("step-*.json"))
    assert ended(started(tmp_path, None, Random(0))) == 0
    assert_same(tmp_path, uninterrupted)


def slowly(random: Random) -> None:
    learn = Trainer.learn

    def slow(self: Trainer, batch: Any) -> None:
        time.sleep(0.2)
        learn(self, batch)

    Trainer.learn = slow  # type: ignore[method-assign]
