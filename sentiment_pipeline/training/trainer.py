"""Training: from packed reviews to the best weights, through any number of interruptions.

The state after a training step is a function of the settings, the data and the state before it. The order of the
reviews comes from the seed and the epoch, the learning rate from the step, and dropout from a generator that is seeded
anew at each step; all the rest is in the checkpoint. So a run that was killed, wherever that was, ends with the
weights of a run that was not.

Nothing in a training step waits for the GPU: figures are summed up there and read when they are due.
"""

import logging
import math
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from sentiment_pipeline.data.batches import Batch
from sentiment_pipeline.data.loader import Loader
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.models.evaluation import Metrics
from sentiment_pipeline.models.language_model import pretrained_weights
from sentiment_pipeline.models.precision import choose_device, out_of_memory, prepare_process
from sentiment_pipeline.training.checkpoint import Checkpoints
from sentiment_pipeline.training.distributed import join_ranks
from sentiment_pipeline.training.history import FiguresCallback, History
from sentiment_pipeline.training.job import Job, TrainResult
from sentiment_pipeline.training.meter import Meter
from sentiment_pipeline.training.objectives import Context, Objective, Sentiment
from sentiment_pipeline.training.optimizer import build_optimizer, set_learning_rate
from sentiment_pipeline.training.pretraining import NextWord, pretraining_figures, pretraining_job
from sentiment_pipeline.training.resuming import Progress, load_optimizer, progress_of, require_same_shapes
from sentiment_pipeline.training.signals import Stopped, StopSignals

__all__ = ["Trainer", "train"]

log = logging.getLogger(__name__)


def train(job: Job, on_figures: FiguresCallback = lambda figures: None) -> TrainResult:
    """Train, or resume training; under torchrun, as one of several processes.

    Args:
        on_figures: called with every line of figures, in the first process.

    Raises:
        PipelineError: damaged files, a checkpoint of another run, a loss that is NaN or infinite, too little
            memory, a signal. The state is saved where it is of use, and training resumes from it when called again.
    """
    prepare_process()
    device = choose_device(job.runtime.device)
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(gpus), join_ranks(device) as ranks, StopSignals() as stop:
        try:
            context = Context.open(job, device, ranks)
            weights = _pretrain(context, stop, on_figures) if job.training.pretraining_epochs else {}
            return Trainer(Sentiment(context, weights), context, stop).run(on_figures)
        except (RuntimeError, MemoryError) as error:
            raise out_of_memory(error) from error


def _pretrain(context: Context, stop: StopSignals, on_figures: FiguresCallback) -> dict[str, Tensor]:
    """The weights of a language model of the training reviews, by their names in the `SentimentModel`."""
    context = replace(context, job=pretraining_job(context.job))
    trainer = Trainer(NextWord(context), context, stop)
    return pretrained_weights(trainer.run(pretraining_figures(on_figures)).weights)


class Trainer:
    """The state of a run, and the training steps that change it.

    Args:
        objective: what is trained, and on which loss.
        context: the job, the device and the reviews.
        stop: the signals that end the run between two training steps.
    """

    def __init__(self, objective: Objective, context: Context, stop: StopSignals) -> None:
        self.objective, self.context, self.stop = objective, context, stop
        self.job, self.device, self.ranks = job, device, ranks = context.job, context.device, context.ranks
        how = job.training
        self.loader = Loader(
            context.reviews,
            job.model.lstm_truncation,
            how.batch_size,
            how.seed,
            how.epochs,
            job.runtime.loader_workers,
            device.type == "cuda",
            ranks.rank,
            ranks.size,
        )
        self.steps = self.loader.order.batches * how.epochs
        self.model = objective.model
        self.network = ranks.parallel(self.model)
        self.optimizer = build_optimizer(self.model, how)
        self.scaler = torch.amp.GradScaler(device.type, enabled=context.dtype == torch.float16)
        self.checkpoints = Checkpoints(job.checkpoints, job.identity())
        self.progress, self.best = Progress(), dict[str, Tensor]()
        self.saved = -1  # what is prepared before the first step is worth a checkpoint
        self.meter = Meter(device)
        self.history: History | None = None

    def run(self, on_figures: FiguresCallback) -> TrainResult:
        """Resume from the last checkpoint, if there is one, and train to the end."""
        state = self.checkpoints.latest()
        if state is not None:
            with self.checkpoints.resuming():
                self.progress = progress_of(state, self.steps, self.loader.order.batches)
        self.ranks.wait()  # until every process has read the checkpoint, which the first one's next save may delete
        history = History(
            self.job.history,
            state["history"] if state is not None else (),
            self.progress.step,
            self.job.runtime.tensorboard,
            on_figures,
        )
        with history if self.ranks.first else nullcontext() as self.history:
            self.objective.prepare(state is not None, self.stop.check, self._record)
            if state is not None:
                log.info("resuming from step %d of %d", self.progress.step, self.steps)
                with self.checkpoints.resuming():
                    self.load_state_dict(state)
            batches = self._batches()
            self.meter = Meter(self.device)
            while not self.after_step():
                self.train_step(next(batches))
        return self._result()

    def after_step(self) -> bool:
        """Log, validate and save what is due after the last training step; returns whether that step was the last."""
        step, every = self.progress.step, self.job.runtime.log_every
        try:
            if step and self.meter.steps and (step % every == 0 or step == self.steps):
                self._record(self._figures())
            self._check_signals(step % every == 0)
            if self._validation_due():
                with self.meter.paused():
                    self._record(self._validate())
        except Stopped:
            self._save()
            raise
        if self._checkpoint_due():
            self._save()
        return step == self.steps

    def _batches(self) -> Iterator[Batch]:
        """The batches to come, on the device; counts the seconds spent waiting for them."""
        loader = iter(self.loader)
        while True:
            started = time.perf_counter()
            batch = next(loader).to(self.device)
            self.meter.waited += time.perf_counter() - started
            yield batch

    def train_step(self, batch: Batch) -> None:
        """One training step."""
        config, step = self.job.training, self.progress.step
        torch.manual_seed(_step_seed(config.seed, step, self.ranks.rank))
        set_learning_rate(self.optimizer, config, step, self.steps)
        loss, right = self._losses(batch)
        self.scaler.scale(loss * self.ranks.size / batch.total).backward()
        self.scaler.unscale_(self.optimizer)
        norm = clip_grad_norm_(self.model.parameters(), config.clip_norm or math.inf)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.scaler.is_enabled():
            norm = norm.nan_to_num(0.0, 0.0)  # an overflow, whose step the scaler has left out
        self.meter.add(loss.detach(), right, norm, batch.total, batch.tokens)
        self.progress.step = step + 1

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """As the objective's; of nothing where this process has no part of the batch."""
        if batch.reviews:
            return self.objective.losses(self.network, batch)
        pad = torch.zeros(1, 1, dtype=torch.int32, device=self.device)
        loss = 0 * self.network(pad, pad[0]).sum()  # all the same, because the others wait for its gradients
        return loss, loss.detach()

    def _validate(self) -> dict[str, float]:
        """Score the validation reviews, keep the weights if they are the best so far, and return the figures.

        Without validation reviews there are no figures, and the last weights count as the best.
        """
        found = self.objective.validate(self.model, self._check_signals)
        if found["reviews"]:
            self._require_finite(found["loss"])
        self.progress.validated = self.progress.step
        if self._better(found):
            self.progress.best = {"step": self.progress.step, **found}
            self.best = {name: each.detach().cpu().clone() for name, each in self.model.state_dict().items()}
        figures = {"validation_loss": found["loss"], "validation_accuracy": found["accuracy"]}
        return {name: value for name, value in figures.items() if value is not None}

    def _better(self, found: Metrics) -> bool:
        best = self.progress.best
        if not best or not found["reviews"]:
            return True
        if self.job.training.best_metric == "accuracy":
            return bool(found["accuracy"] > best["accuracy"])
        return bool(found["loss"] < best["loss"])

    def _validation_due(self) -> bool:
        step, every = self.progress.step, self.job.training.validate_every or self.loader.order.batches
        return step > self.progress.validated and (step % every == 0 or step == self.steps)

    def _checkpoint_due(self) -> bool:
        step, every = self.progress.step, self.job.runtime.checkpoint_every
        return step > self.saved and (step % self.loader.order.batches == 0 or (every > 0 and step % every == 0))

    def _check_signals(self, together: bool = False) -> None:
        """Raise Stopped if a signal came; several processes do so at the same step or not at all."""
        if self.ranks.size == 1:
            self.stop.check()
        elif together and self.ranks.total(torch.tensor(float(self.stop.received is not None), device=self.device)):
            self.stop.received = self.stop.received or signal.SIGTERM
            self.stop.check()

    def _totals(self) -> list[float]:
        """The meter's sums and tokens over all processes, known to be numbers."""
        mine = torch.cat([self.meter.sums, self.meter.sums.new_tensor([self.meter.tokens])])
        totals: list[float] = self.ranks.total(mine).tolist()
        self._require_finite(*totals)
        return totals

    def _require_finite(self, *values: float) -> None:
        """Stop before a state that holds NaN is saved."""
        if not all(map(math.isfinite, values)):
            raise PipelineError(
                f"the loss is NaN or infinite at step {self.progress.step}; lower "
                "training.learning_rate or training.clip_norm; the last good checkpoint is kept in "
                f"{self.job.checkpoints}"
            )

    def _progress_so_far(self, totals: list[float]) -> Progress:
        """The progress with what the meter has counted since the last figures."""
        done, meter = self.progress, self.meter
        if not meter.steps:
            return done
        return replace(
            done,
            seconds=done.seconds + meter.seconds,
            waited=done.waited + meter.waited,
            reviews=done.reviews + meter.reviews,
            tokens=done.tokens + int(totals[-1]),
        )

    def _figures(self) -> dict[str, float]:
        """The figures since the last ones."""
        totals = self._totals()
        figures = self.meter.figures(totals, self.ranks.size)
        self.progress, self.meter = self._progress_so_far(totals), Meter(self.device)
        return {**figures, "learning_rate": self.optimizer.param_groups[0]["lr"]}

    def _record(self, figures: Mapping[str, float]) -> None:
        step = self.progress.step
        position = {"step": step, "steps": self.steps, "epoch": step / self.loader.order.batches}
        if self.history is not None:
            self.history.write({**position, **figures})

    def _save(self) -> None:
        """Publish a checkpoint, unless what it would hold is no good."""
        with self.meter.paused():
            state = {**self.state_dict(), "progress": asdict(self._progress_so_far(self._totals()))}
            if self.ranks.first:
                self.checkpoints.save(self.progress.step, state)
            self.saved = self.progress.step

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next steps depend on, but for the progress."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "loader": self.loader.state_dict(),
            "best": self.best,
            "history": self.history.lines if self.history else [],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from what `state_dict` gave; the progress has been resumed before."""
        self.model.load_state_dict(state["model"])
        load_optimizer(self.optimizer, state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.loader.load_state_dict(state["loader"])
        self.best = state["best"]
        if self.progress.best:
            require_same_shapes(self.best, self.model.state_dict())
        self.saved = self.progress.step

    def _result(self) -> TrainResult:
        done = self.progress
        seconds = max(done.seconds, 1e-9)
        facts = {
            "reviews_per_s": done.reviews / seconds,
            "tokens_per_s": done.tokens / seconds,
            "seconds": seconds,
            "data_wait": done.waited / seconds,
            "epochs": self.job.training.epochs,
            "steps": done.step,
            "best_step": done.best["step"],
            "parameters": sum(each.numel() for each in self.model.parameters()),
        }
        return TrainResult(self.best, done.best, facts)


def _step_seed(seed: int, step: int, rank: int) -> int:
    """The seed of a step's dropout."""
    return int(np.random.SeedSequence((seed, step, rank)).generate_state(1, np.uint64)[0])
