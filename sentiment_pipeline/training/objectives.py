"""What training minimizes: the loss of a batch, and how good the weights are on held-out reviews.

The trainer knows training steps, checkpoints and figures, and nothing of the task. The task is `Sentiment`;
`pretraining.NextWord` is the one that the word vectors and the LSTM may be trained for before.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sentiment_pipeline.data.batches import Batch
from sentiment_pipeline.models.evaluation import Metrics, metrics
from sentiment_pipeline.models.ngram_ratios import CrossFittedRatios
from sentiment_pipeline.models.precision import autocast
from sentiment_pipeline.models.sentiment import Scorer, SentimentModel
from sentiment_pipeline.training.context import Context
from sentiment_pipeline.training.fits import fit_linear_head, fit_ngram_ratios
from sentiment_pipeline.training.history import FiguresCallback
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.signals import Check
from sentiment_pipeline.training.word_vectors import read_vectors

__all__ = ["Objective", "Sentiment", "load_word_vectors"]


class Objective(Protocol):
    """What the trainer needs of an objective."""

    @property
    def model(self) -> Scorer:
        """The model that is trained, on its device."""

    def prepare(self, resumed: bool, check: Check, on_figures: FiguresCallback) -> None:
        """Do what comes before the first training step.

        Args:
            resumed: whether the model's state will be loaded from a checkpoint afterwards.
            check: called now and then.
            on_figures: called with figures of the work.
        """

    def losses(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """The sum of the losses of a batch's reviews, and the number of correct answers among them; scalars.

        Args:
            network: the model as it is called in this process; one of several averages its gradients with the others.
            batch: this process's part of the global batch, on the device; not empty.
        """

    def validate(self, check: Check) -> Metrics:
        """The metrics of the model on the validation reviews: `reviews`, `loss`, `accuracy` and more.

        Args:
            check: called before each batch.
        """


class Sentiment:
    """The objective of predicting the label of a review.

    Args:
        context: the job, the device, the processes and the reviews.
        weights: initial weights by their names in the `SentimentModel`; the others are drawn at random.

    Raises:
        PipelineError: the word vectors of the job are damaged, or too long.
    """

    def __init__(self, context: Context, weights: Mapping[str, Tensor]) -> None:
        self.context = context
        self.model = _initial_model(context.job, weights).to(context.device)
        self._cross_fitted: CrossFittedRatios | None = None

    def prepare(self, resumed: bool, check: Check, on_figures: FiguresCallback) -> None:
        """Count the n-grams, and fit the linear head unless a checkpoint holds it already."""
        model, job, ranks, reviews = self.model, self.context.job, self.context.ranks, self.context.reviews
        if model.evidence is None:
            return
        self._cross_fitted = fit_ngram_ratios(model.evidence, reviews, job.training.ngram_folds, ranks, check)
        if model.head is not None and not resumed:
            fit_linear_head(
                model.head, model.evidence.ratios, reviews, job.model.truncation, job.training, check, on_figures
            )
            ranks.broadcast_buffers(model.head)

    def losses(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """The sum of the binary cross-entropies in nats, and the number of correct answers."""
        smoothing = self.context.job.training.label_smoothing
        with autocast(self.context.device, self.context.dtype):
            logits = network(batch.ids, batch.lengths, self._ratios(batch))
        targets = batch.labels * (1 - smoothing) + smoothing / 2
        correct = ((logits > 0) == (batch.labels > 0)).sum()
        return binary_cross_entropy_with_logits(logits, targets, reduction="sum"), correct

    def validate(self, check: Check) -> Metrics:
        """The `models.evaluation.metrics` of the validation reviews."""
        return metrics(self.context.score_validation(self.model, check), self.context.validation.labels)

    def _ratios(self, batch: Batch) -> Tensor | None:
        """The n-gram ratios of a batch, for each review those counted without its fold."""
        if self._cross_fitted is None:
            return None
        return self._cross_fitted.of_reviews(batch.ids, self.model.positions(batch.ids, batch.lengths), batch.rows)


def load_word_vectors(embedding: nn.Embedding, job: Job) -> None:
    """Replace random word vectors by the job's pretrained ones, if it has any, at the same scale.

    Args:
        embedding: the word vectors; changed in place, on the CPU or the GPU.
        job: names the file of word vectors and the vocabulary.

    Raises:
        PipelineError: the file of word vectors is damaged, or its vectors are too long.
    """
    if job.vectors is None or job.words is None:
        return
    vectors = read_vectors(job.vectors, job.words, job.model.embedding)
    known = torch.from_numpy(np.isfinite(vectors))
    found = torch.from_numpy(vectors)[known]
    embedding.weight.data[known] = found / found.std(correction=0).clamp(min=1e-6) * job.model.embedding_std


def _initial_model(job: Job, weights: Mapping[str, Tensor]) -> SentimentModel:
    """The model before its first training step, the same for the same seed."""
    torch.manual_seed(job.training.seed)
    model = SentimentModel(job.model, job.vocabulary_size)
    load_word_vectors(model.embedding, job)
    model.load_state_dict({**model.state_dict(), **weights})
    return model
