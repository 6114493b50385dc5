"""The training loop: training steps, figures, validations and checkpoints.

The state after a training step is a function of the settings, the data and the state before it. The order of the
reviews comes from the seed and the epoch, the learning rate from the step, and dropout from a generator that is seeded
anew for each step; everything else is in the checkpoint. So a run that was killed, at whatever moment, ends with the
same weights as one that was not.

Nothing in a training step waits for the GPU: figures are summed there and read when they are due.
"""

import logging
import math
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sentiment_pipeline.data.batches import Batch
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.training.best import BestWeights
from sentiment_pipeline.training.checkpoint import Checkpoints
from sentiment_pipeline.training.context import Context
from sentiment_pipeline.training.history import FiguresCallback, History
from sentiment_pipeline.training.job import TrainResult
from sentiment_pipeline.training.meter import Meter
from sentiment_pipeline.training.objectives import Objective
from sentiment_pipeline.training.optimizer import ScheduledOptimizer
from sentiment_pipeline.training.resuming import Progress, load_progress
from sentiment_pipeline.training.signals import Stopped, StopSignals

__all__ = ["Trainer"]

log = logging.getLogger(__name__)


class Trainer:
    """Trains a model for one objective, and resumes from the checkpoints that it saves.

    Several processes train together if each has a trainer for the same job: every global batch is divided among them.

    Args:
        objective: the model and its loss.
        context: the job, the device, the processes and the reviews.
        stop: its signals end the run between two training steps.

    Attributes:
        model: the objective's model.
        network: the model as it is called in a training step; one of several processes averages gradients with it.
        loader: the batches to come.
        steps: number of training steps of the whole run.
        progress: how far the run is.
        best: the best weights so far.
        meter: sums over the training steps since the last figures.
        history: where figures are written; None in all processes but the first, and outside of `run`.
    """

    def __init__(self, objective: Objective, context: Context, stop: StopSignals) -> None:
        self.objective, self.context, self.stop = objective, context, stop
        self.job, self.device, self.ranks = job, device, ranks = context.job, context.device, context.ranks
        self.loader = context.loader()
        self.steps = self.loader.order.batches * job.training.epochs
        self.model = objective.model
        self.network = ranks.data_parallel(self.model)
        self.optimizer = ScheduledOptimizer(self.model, job.training, self.steps, device, context.dtype)
        self.progress, self.best = Progress(), BestWeights()
        self.meter = Meter(device, ranks)
        self.history: History | None = None
        self._checkpoints = Checkpoints(job.checkpoints, job.identity())
        self._saved = -1  # the step of the last checkpoint; what is prepared before the first step is worth one

    def run(self, on_figures: FiguresCallback) -> TrainResult:
        """Resume from the newest checkpoint, if there is one, and train to the end.

        Args:
            on_figures: called with each line of figures, in the first process.

        Raises:
            Stopped: a signal came; the state is saved.
            PipelineError: the checkpoint is not one of this run, or the loss is NaN or infinite.
        """
        state = self._checkpoints.latest()
        if state is not None:
            with self._checkpoints.resuming():
                self.progress = load_progress(state, self.steps, self.loader.order.batches)
        self.ranks.barrier()  # every process has read the checkpoint before the first one's next save deletes it
        with self._open_history(state["history"] if state is not None else (), on_figures) as self.history:
            self.objective.prepare(state is not None, self.stop.check, self._record)
            if state is not None:
                log.info("resuming from step %d of %d", self.progress.step, self.steps)
                with self._checkpoints.resuming():
                    self.load_state_dict(state)
            batches = self._batches()
            self.meter = Meter(self.device, self.ranks)
            while not self._after_step():
                self.train_step(next(batches))
        return self._result()

    def _open_history(
        self, lines: Sequence[str], on_figures: FiguresCallback
    ) -> AbstractContextManager[History | None]:
        if not self.ranks.is_first:
            return nullcontext()
        return History(self.job.history, lines, self.progress.step, self.job.runtime.tensorboard, on_figures)

    def _batches(self) -> Iterator[Batch]:
        """The batches to come, on the device; counts the seconds spent waiting for them."""
        loader = iter(self.loader)
        while True:
            started = time.perf_counter()
            batch = next(loader).to(self.device)
            self.meter.waited += time.perf_counter() - started
            yield batch

    def train_step(self, batch: Batch) -> None:
        """One training step: update the weights, and add to the meter.

        Args:
            batch: this process's part of the global batch, on the device.
        """
        step = self.progress.step
        torch.manual_seed(_step_seed(self.job.training.seed, step, self.ranks.rank))
        loss, correct = self._losses(batch)
        norm = self.optimizer.step(loss * self.ranks.size / batch.total, step)
        self.meter.add(loss.detach(), correct, norm, batch.total, batch.tokens)
        self.progress.step = step + 1

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The objective's losses; zeros if this process has no part of the batch."""
        if batch.reviews:
            return self.objective.losses(self.network, batch)
        pad = torch.zeros(1, 1, dtype=torch.int32, device=self.device)
        loss = 0 * self.network(pad, pad[0]).sum()  # still computed, because the others wait for its gradients
        return loss, loss.detach()

    def _after_step(self) -> bool:
        """Log, validate and save what is due after the last training step; returns whether that step was the last."""
        step, log_every = self.progress.step, self.job.runtime.log_every
        try:
            if step and self.meter.steps and (step % log_every == 0 or step == self.steps):
                self._record(self._figures())
            self._check_signals(together=step % log_every == 0)
            if self._validation_due():
                with self.meter.paused():
                    self._record(self._validate())
        except Stopped:
            self._save()
            raise
        if self._checkpoint_due():
            self._save()
        return step == self.steps

    def _validation_due(self) -> bool:
        step, every = self.progress.step, self.job.training.validate_every or self.loader.order.batches
        return step > self.progress.validated and (step % every == 0 or step == self.steps)

    def _checkpoint_due(self) -> bool:
        step, every = self.progress.step, self.job.runtime.checkpoint_every
        return step > self._saved and (step % self.loader.order.batches == 0 or (every > 0 and step % every == 0))

    def _check_signals(self, together: bool = False) -> None:
        """Raise Stopped if a signal came; several processes do so after the same step, in which they check together."""
        if self.ranks.size == 1:
            self.stop.check()
        elif together:
            received = torch.tensor(float(self.stop.received is not None), device=self.device)
            if self.ranks.all_reduce(received):
                self.stop.received = self.stop.received or signal.SIGTERM
                self.stop.check()

    def _validate(self) -> dict[str, float]:
        """Score the validation reviews, keep the weights if they are the best so far, and return the figures.

        Without validation reviews there are no figures, and the last weights count as the best.
        """
        found = self.objective.validate(self._check_signals)
        if found["reviews"]:
            self._require_finite(found["loss"])
        self.progress.validated = self.progress.step
        self.best.update(self.model, self.progress.step, found)
        figures = {"validation_loss": found["loss"], "validation_accuracy": found["accuracy"]}
        return {name: value for name, value in figures.items() if value is not None}

    def _figures(self) -> dict[str, float]:
        """The figures since the last ones; starts a new meter."""
        totals = self._totals()
        figures = self.meter.figures(totals)
        self.progress = self.progress.plus(self.meter, int(totals[-1]))
        self.meter = Meter(self.device, self.ranks)
        return {**figures, "learning_rate": self.optimizer.learning_rate}

    def _totals(self) -> list[float]:
        totals = self.meter.totals()
        self._require_finite(*totals)
        return totals

    def _require_finite(self, *values: float) -> None:
        """Stop before a state with NaN is saved."""
        if not all(map(math.isfinite, values)):
            raise PipelineError(
                f"the loss is NaN or infinite at step {self.progress.step}; lower "
                "training.learning_rate or training.clip_norm; the last good checkpoint is kept in "
                f"{self.job.checkpoints}"
            )

    def _record(self, figures: Mapping[str, float]) -> None:
        step = self.progress.step
        if self.history is not None:
            self.history.write(
                {"step": step, "steps": self.steps, "epoch": step / self.loader.order.batches, **figures}
            )

    def _save(self) -> None:
        """Publish a checkpoint.

        Raises:
            PipelineError: the loss is NaN or infinite, so the state is of no use.
        """
        with self.meter.paused():
            progress = self.progress.plus(self.meter, int(self._totals()[-1]))
            if self.ranks.is_first:
                self._checkpoints.save(self.progress.step, {**self.state_dict(), "progress": asdict(progress)})
            self._saved = self.progress.step

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next training steps depend on, except for the progress."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "loader": self.loader.state_dict(),
            "best": self.best.state_dict(),
            "history": self.history.lines if self.history else [],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from a state that `state_dict` returned; the progress must be loaded already."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.loader.load_state_dict(state["loader"])
        self.best.load_state_dict(state["best"], self.model)
        self._saved = self.progress.step

    def _result(self) -> TrainResult:
        facts = {
            **self.progress.rates(),
            "epochs": self.job.training.epochs,
            "steps": self.progress.step,
            "best_step": self.best.metrics["step"],
            "parameters": sum(each.numel() for each in self.model.parameters()),
        }
        return TrainResult(self.best.weights, self.best.metrics, facts)


def _step_seed(seed: int, step: int, rank: int) -> int:
    """The seed for the dropout of one training step in one process."""
    return int(np.random.SeedSequence((seed, step, rank)).generate_state(1, np.uint64)[0])
