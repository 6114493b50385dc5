"""Pretraining: a language model of the training reviews, whose weights initialize the sentiment model."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from sentiment_pipeline import layout
from sentiment_pipeline.data.batches import Batch
from sentiment_pipeline.models.evaluation import Metrics
from sentiment_pipeline.models.language_model import LanguageModel
from sentiment_pipeline.models.precision import autocast
from sentiment_pipeline.training.context import Context
from sentiment_pipeline.training.history import FiguresCallback
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.objectives import load_word_vectors
from sentiment_pipeline.training.signals import Check

__all__ = ["NextWord", "pretraining_figures", "pretraining_job"]

_POSITION = ("step", "steps", "epoch")  # when in the training a line of figures was written


class NextWord:
    """The objective of predicting the next word of a review and, in a bidirectional LSTM, the previous one.

    Args:
        context: the job, as `pretraining_job` returns it, the device, the processes and the reviews.

    Raises:
        PipelineError: the word vectors of the job are damaged, or too long.
    """

    def __init__(self, context: Context) -> None:
        self.context, job = context, context.job
        torch.manual_seed(job.training.seed)
        self.model = LanguageModel(job.model, job.vocabulary_size).to(context.device)
        load_word_vectors(self.model.embedding, job)

    def prepare(self, resumed: bool, check: Check, on_figures: FiguresCallback) -> None:
        """Do nothing."""

    def losses(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """The sum of the reviews' mean cross-entropies in nats; no answer counts as correct."""
        with autocast(self.context.device, self.context.dtype):
            losses = network(batch.ids, batch.lengths)
        return losses.sum(), torch.zeros_like(losses[:1]).sum()

    def validate(self, check: Check) -> Metrics:
        """The mean loss on the validation reviews; None without any."""
        losses = self.context.score_validation(self.model, check)
        return {"reviews": len(losses), "loss": float(losses.mean()) if len(losses) else None, "accuracy": None}


def pretraining_job(job: Job) -> Job:
    """The job of the pretraining that precedes a training job."""
    folder = job.checkpoints / layout.PRETRAINING
    training = replace(
        job.training,
        epochs=job.training.pretraining_epochs,
        validate_every=0,
        learning_rate=job.training.pretraining_learning_rate,
    )
    model = replace(job.model, padding="right", linear_length=0)
    return replace(job, checkpoints=folder, history=folder / layout.LIVE_HISTORY, model=model, training=training)


def pretraining_figures(on_figures: FiguresCallback) -> FiguresCallback:
    """A callback that passes figures on under other names, such as `pretraining_loss`; accuracies are left out."""

    def renamed(figures: Mapping[str, float]) -> None:
        known = {name: value for name, value in figures.items() if "accuracy" not in name}
        on_figures({name if name in _POSITION else f"pretraining_{name}": value for name, value in known.items()})

    return renamed
