"""Several processes over Gloo against one: the same global batches, so the same losses within rounding."""

import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from sentiment_pipeline import layout
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.launch import Processes, train_in_processes
from tests.conftest import PATIENCE
from tests.training.examples import make_job, model_config, runtime_config, training_config


def make(folder: Path) -> Job:
    still = model_config(dropout=0.0, word_dropout=0.0)  # each process draws dropout of its own
    return make_job(folder, still, training_config(epochs=2), runtime_config(log_every=1))


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    figures: dict[int, list[Mapping[str, float]]] = {1: [], 2: []}
    results = [
        train_in_processes(make(tmp_path / str(processes)), Processes(processes), figures[processes].append)
        for processes in (1, 2)
    ]
    assert len(figures[1]) == len(figures[2]) == 19 + 20 + 2  # of the linear head, the steps and the validations
    for alone, together in zip(figures[1], figures[2], strict=True):
        assert together.keys() == alone.keys()
        for name in {"step", "loss", "accuracy", "validation_loss"} & alone.keys():
            assert together[name] == pytest.approx(alone[name], rel=1e-5)
    for name, weight in results[0].weights.items():
        assert torch.allclose(weight, results[1].weights[name], atol=1e-5), name


def test_a_failure_in_the_processes_keeps_its_own_words(tmp_path: Path) -> None:
    job = make(tmp_path)
    (job.packed / "train" / "labels.npy").unlink()
    with pytest.raises(PipelineError, match="labels.npy is missing"):
        train_in_processes(job, Processes(2), lambda figures: None)


def test_two_machines_learn_what_one_process_does(tmp_path: Path) -> None:
    """The second machine is another torchrun of this one, started by hand as the documentation says."""
    alone = train_in_processes(make(tmp_path / "alone"), Processes(), lambda figures: None)
    job = make(tmp_path / "together")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        together = Processes(1, 2, f"127.0.0.1:{probe.getsockname()[1]}")
    other = subprocess.Popen(
        together.command(job.checkpoints.parent / layout.LAUNCH), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        result = train_in_processes(job, together, lambda figures: None)
        assert other.wait(PATIENCE) == 0
    finally:
        other.kill()
    for name, weight in alone.weights.items():
        assert torch.allclose(weight, result.weights[name], atol=1e-5), name
