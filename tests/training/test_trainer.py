import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.training.job import TrainResult
from sentiment_pipeline.training.signals import Stopped
from sentiment_pipeline.training.train import train
from sentiment_pipeline.training.trainer import Trainer, _step_seed
from tests.training.examples import history_of, job_in, needs_bf16, same_weights, write_packed

STEPS = 30  # 150 reviews in batches of 16, three times


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return train(job_in(tmp_path_factory.mktemp("uninterrupted")))


def test_it_learns(tmp_path: Path) -> None:
    job = job_in(tmp_path, epochs=12, learning_rate=0.03, word_dropout=0.0)
    result = train(job)
    assert result.validation["accuracy"] > 0.9  # a few reviews have no word at all
    assert result.facts["steps"] == 12 * 10


def test_figures_describe_every_step(tmp_path: Path) -> None:
    figures: list[Mapping[str, float]] = []
    job = job_in(tmp_path)
    result = train(job, figures.append)
    assert history_of(job) == figures
    trained = [line for line in figures if "loss" in line]
    assert [line["step"] for line in trained] == list(range(3, STEPS + 1, 3))
    for line in trained:
        assert line.keys() == {
            "step",
            "steps",
            "epoch",
            "loss",
            "accuracy",
            "gradient_norm",
            "reviews_per_s",
            "tokens_per_s",
            "data_wait",
            "memory_bytes",
            "learning_rate",
        }
        assert line["steps"] == STEPS
        assert 0 <= line["data_wait"] <= 1
        assert line["memory_bytes"] > 1 << 20
    validated = [line for line in figures if "validation_loss" in line]
    assert [line["step"] for line in validated] == [10, 20, 30]
    assert result.validation["loss"] == min(line["validation_loss"] for line in validated)
    assert result.facts["best_step"] == result.validation["step"]


def test_the_same_seed_gives_the_same_weights(tmp_path: Path, uninterrupted: TrainResult) -> None:
    assert same_weights(
        train(job_in(tmp_path, log_every=7, checkpoint_every=0, loader_workers=1)).weights, uninterrupted.weights
    )


def test_another_seed_gives_others(tmp_path: Path, uninterrupted: TrainResult) -> None:
    assert not same_weights(train(job_in(tmp_path, seed=4)).weights, uninterrupted.weights)


@pytest.mark.usefixtures("sigterm_ignored")
@pytest.mark.parametrize("steps", [[3], [9, 12], [3, 6, 27, 30]])
def test_stopped_and_started_again_it_ends_the_same(
    tmp_path: Path, steps: list[int], uninterrupted: TrainResult
) -> None:
    job = job_in(tmp_path)
    for stop in steps:

        def interrupt(figures: Mapping[str, float], stop: int = stop) -> None:
            if figures["step"] == stop and "loss" in figures:
                signal.raise_signal(signal.SIGTERM)

        with pytest.raises(Stopped, match="SIGTERM"):
            train(job, interrupt)
        assert (job.checkpoints / f"step-{stop:08d}.json").exists()
    result = train(job)
    assert same_weights(result.weights, uninterrupted.weights)
    assert result.validation == uninterrupted.validation
    assert [line["step"] for line in history_of(job) if "loss" in line] == list(range(3, STEPS + 1, 3))


def test_a_failure_at_any_step_loses_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: TrainResult
) -> None:
    job, train_step, left = job_in(tmp_path), Trainer.train_step, [5, 1, 9, 2, 13]

    def failing(self: Trainer, batch: Any) -> None:
        if left and not left[0]:
            left.pop(0)
            raise KeyError
        if left:
            left[0] -= 1
        train_step(self, batch)

    monkeypatch.setattr(Trainer, "train_step", failing)
    while left:
        with pytest.raises(KeyError):
            train(job)
    assert same_weights(train(job).weights, uninterrupted.weights)


def test_a_finished_run_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_in(tmp_path)
    first = train(job)
    monkeypatch.setattr(Trainer, "train_step", None)
    again = train(job)
    assert same_weights(again.weights, first.weights)
    assert again.facts == first.facts


def test_a_checkpoint_of_other_settings_is_refused_by_name(tmp_path: Path) -> None:
    train(job_in(tmp_path))
    with pytest.raises(PipelineError, match=r"model\.hidden is 8 there, 16 here"):
        train(job_in(tmp_path, hidden=16))
    with pytest.raises(PipelineError, match="vocabulary_size is 50 there, 60 here"):
        train(replace(job_in(tmp_path), vocabulary_size=60))


def test_a_loss_of_nan_stops_it_and_keeps_the_last_good_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, train_step = job_in(tmp_path, log_every=1000), Trainer.train_step

    def poisoned(self: Trainer, batch: Any) -> None:
        if self.progress.step == 13:
            self.model.get_parameter("linear.weight").data.fill_(float("nan"))
        train_step(self, batch)

    monkeypatch.setattr(Trainer, "train_step", poisoned)
    with pytest.raises(PipelineError, match=r"the loss is NaN or infinite at step 16.*learning_rate"):
        train(job)
    assert {path.name for path in job.checkpoints.glob("*.pt")} == {"step-00000010.pt", "step-00000012.pt"}


def test_a_killed_loader_process_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: TrainResult
) -> None:
    job, train_step = job_in(tmp_path, loader_workers=1), Trainer.train_step

    def killing(self: Trainer, batch: Any) -> None:
        train_step(self, batch)
        if self.progress.step == 2:
            import multiprocessing

            for child in multiprocessing.active_children():
                child.kill()
                child.join()

    monkeypatch.setattr(Trainer, "train_step", killing)
    with pytest.raises(PipelineError, match="loader"):
        train(job)
    monkeypatch.undo()
    assert same_weights(train(job).weights, uninterrupted.weights)


@pytest.mark.parametrize(
    "changes",
    [
        dict(schedule="constant"),
        pytest.param(dict(precision="bf16"), marks=needs_bf16),
        dict(padding="left", ngrams=0, label_smoothing=0.0, clip_norm=0.0),
        dict(layers=2, embedding_dropout=0.2),
        dict(cell="scratch", pooling="last"),
        dict(validate_every=4, tensorboard=True),
        dict(batch_size=1000),
    ],
)
def test_every_setting_trains_and_resumes(tmp_path: Path, changes: dict[str, Any]) -> None:
    job = job_in(tmp_path, epochs=1, checkpoint_every=1, **changes)
    result = train(job)
    assert np.isfinite(result.validation["loss"])
    last = max(job.checkpoints.glob("*.json"))
    last.unlink()
    assert same_weights(train(job).weights, result.weights)


def test_without_validation_reviews_the_last_weights_are_kept(tmp_path: Path) -> None:
    write_packed(tmp_path / "packed" / "train", 40, seed=0)
    write_packed(tmp_path / "packed" / "validation", 0, seed=0)
    assert train(job_in(tmp_path)).facts["best_step"] == 9


def test_no_reviews_at_all_are_refused(tmp_path: Path) -> None:
    write_packed(tmp_path / "packed" / "train", 0, seed=0)
    write_packed(tmp_path / "packed" / "validation", 0, seed=0)
    with pytest.raises(PipelineError, match="no reviews"):
        train(job_in(tmp_path))


def test_each_step_and_process_draws_its_own_dropout() -> None:
    seeds = {_step_seed(seed, step, rank) for seed in range(5) for step in range(50) for rank in range(4)}
    assert len(seeds) == 5 * 50 * 4
    assert _step_seed(1, 2, 3) == _step_seed(1, 2, 3)
