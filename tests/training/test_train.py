import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.training.signals import Stopped
from sentiment_pipeline.training.train import _expected_failure, train
from sentiment_pipeline.training.trainer import Trainer
from tests.training.examples import history_of, job_in, same_weights


@pytest.mark.usefixtures("sigterm_ignored")
@pytest.mark.parametrize("phase", ["pretraining_loss", "loss"])
def test_stopped_in_pretraining_or_after_it_ends_the_same(tmp_path: Path, phase: str) -> None:
    whole = train(job_in(tmp_path / "whole", epochs=1, pretraining_epochs=2))
    job = job_in(tmp_path / "stopped", epochs=1, pretraining_epochs=2)

    def interrupt(figures: Mapping[str, float]) -> None:
        if figures["step"] == 6 and phase in figures:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Stopped):
        train(job, interrupt)
    assert same_weights(train(job).weights, whole.weights)


def test_pretraining_changes_where_training_begins(tmp_path: Path) -> None:
    figures: list[Mapping[str, float]] = []
    job = job_in(tmp_path, epochs=1, pretraining_epochs=2)
    pretrained = train(job, figures.append)
    steps = [each["step"] for each in figures if "pretraining_loss" in each]
    assert steps == [3, 6, 9, 12, 15, 18, 20]
    assert not any("pretraining" in name for line in history_of(job) for name in line)  # has a history of its own
    assert not same_weights(train(job_in(tmp_path / "plain", epochs=1)).weights, pretrained.weights)


def test_what_the_machine_lacks_is_refused_by_name(tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        with pytest.raises(SettingsError, match=r"runtime\.device is cuda"):
            train(job_in(tmp_path, device="cuda"))
    with pytest.raises(SettingsError, match=r"training\.precision is fp16"):
        train(job_in(tmp_path, precision="fp16"))


def test_training_leaves_the_callers_random_numbers_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(job_in(tmp_path, epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_too_little_memory_names_what_to_lower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(self: Trainer, batch: Any) -> None:
        torch.empty(1 << 60)

    monkeypatch.setattr(Trainer, "train_step", hungry)
    with pytest.raises(PipelineError, match=r"out of memory; lower training\.batch_size"):
        train(job_in(tmp_path))


def test_a_defect_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Trainer, batch: Any) -> None:
        torch.zeros(2, 3) @ torch.zeros(2, 3)

    monkeypatch.setattr(Trainer, "train_step", broken)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train(job_in(tmp_path))


def test_only_failures_that_a_user_can_act_on_are_expected() -> None:
    assert _expected_failure(RuntimeError("shapes differ")) is None
    assert "loader_workers" in str(_expected_failure(RuntimeError("DataLoader worker (pid 7) is killed by signal")))
    for error in (
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("std::bad_alloc"),
        RuntimeError("could not create a memory object"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
        RuntimeError("unable to mmap 8 bytes from file <not specified>: Cannot allocate memory (12)"),
    ):
        assert "lower training.batch_size" in str(_expected_failure(error))
