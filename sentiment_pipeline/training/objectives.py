"""What training minimizes: the loss of a batch, and how good the weights are on held-out reviews.

The trainer knows training steps, checkpoints and figures, and nothing of the task. `Sentiment` is the task in the end;
`pretraining.NextWord` is the one that the word vectors and the LSTM may be trained on before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sentiment_pipeline.data.batches import Batch
from sentiment_pipeline.data.packed import Array, PackedReviews, open_packed
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.models.evaluation import Metrics, metrics, score_split
from sentiment_pipeline.models.ngram_ratios import CrossFittedRatios
from sentiment_pipeline.models.precision import autocast, choose_dtype
from sentiment_pipeline.models.sentiment import Scorer, SentimentModel
from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.fits import fit_linear_head, fit_ngram_ratios
from sentiment_pipeline.training.history import FiguresCallback
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.word_vectors import read_vectors

__all__ = ["Check", "Context", "Objective", "Sentiment", "load_word_vectors"]

Check = Callable[[], None]  # called now and then; what it raises ends the work


@dataclass(frozen=True)
class Context:
    """What a training works with, whatever its objective."""

    job: Job
    device: torch.device
    dtype: torch.dtype
    ranks: Ranks
    reviews: PackedReviews
    validation: PackedReviews

    @classmethod
    def open(cls, job: Job, device: torch.device, ranks: Ranks) -> "Context":
        """The context of a job.

        Raises:
            PipelineError: the reviews are missing, damaged or none.
        """
        reviews = open_packed(job.packed / "train", job.vocabulary_size)
        validation = open_packed(job.packed / "validation", job.vocabulary_size)
        if not len(reviews):
            raise PipelineError(f"{reviews.folder} holds no reviews to train on")
        return cls(job, device, choose_dtype(job.training.precision, device), ranks, reviews, validation)

    def score_validation(self, model: Scorer, check: Check) -> Array:
        """The model's number for each validation review, float32, [reviews]; each process scores a part."""
        scores = score_split(model, self.validation, self.dtype, check, self.ranks.rank, self.ranks.size)
        return self.ranks.total(torch.from_numpy(scores).to(self.device)).cpu().numpy()


class Objective(Protocol):
    """What the trainer asks of an objective."""

    @property
    def model(self) -> Scorer:
        """The model that is trained."""

    def prepare(self, resumed: bool, check: Check, on_figures: FiguresCallback) -> None:
        """Do what comes before the first training step; `resumed` if a checkpoint holds the model's state already."""

    def losses(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """The sum of the losses of the batch's reviews, and how many were right; scalars.

        Args:
            network: the model as it is called in this process; one of several averages its gradients with the others.
        """

    def validate(self, model: Scorer, check: Check) -> Metrics:
        """`loss`, `accuracy` and more of `model`, of the same kind as `self.model`, on the validation reviews."""


class Sentiment:
    """The objective: the label of a review.

    Args:
        weights: to begin with, by their names in the model; the others are drawn.
    """

    def __init__(self, context: Context, weights: Mapping[str, Tensor]) -> None:
        self.context = context
        self.model = _first_model(context.job, weights).to(context.device)
        self.cross_fitted: CrossFittedRatios | None = None

    def prepare(self, resumed: bool, check: Check, on_figures: FiguresCallback) -> None:
        """Count the n-grams, and fit the linear head unless a checkpoint holds it already."""
        model, job, ranks, reviews = self.model, self.context.job, self.context.ranks, self.context.reviews
        if model.evidence is None:
            return
        self.cross_fitted = fit_ngram_ratios(model.evidence, reviews, job.training.ngram_folds, ranks, check)
        if model.head is not None and not resumed:
            fit_linear_head(
                model.head, model.evidence.ratios, reviews, job.model.truncation, job.training, check, on_figures
            )
            ranks.equalize(model.head)

    def losses(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        smoothing = self.context.job.training.label_smoothing
        with autocast(self.context.device, self.context.dtype):
            logits = network(batch.ids, batch.lengths, self._ratios(batch))
        targets = batch.labels * (1 - smoothing) + smoothing / 2
        right = ((logits > 0) == (batch.labels > 0)).sum()
        return binary_cross_entropy_with_logits(logits, targets, reduction="sum"), right

    def validate(self, model: Scorer, check: Check) -> Metrics:
        return metrics(self.context.score_validation(model, check), self.context.validation.labels)

    def _ratios(self, batch: Batch) -> Tensor | None:
        """The n-gram ratios according to other folds than those of the batch's reviews."""
        if self.cross_fitted is None:
            return None
        return self.cross_fitted.of_reviews(batch.ids, self.model.positions(batch.ids, batch.lengths), batch.rows)


def load_word_vectors(embedding: nn.Embedding, job: Job) -> None:
    """Put the job's word vectors, if it has any, in place of the drawn ones, at the same scale.

    Raises:
        PipelineError: the file of word vectors is damaged, or its vectors are too long.
    """
    if job.vectors is None or job.words is None:
        return
    vectors = read_vectors(job.vectors, job.words, job.model.embedding)
    known = torch.from_numpy(np.isfinite(vectors))
    found = torch.from_numpy(vectors)[known]
    embedding.weight.data[known] = found / found.std(correction=0).clamp(min=1e-6) * job.model.embedding_std


def _first_model(job: Job, weights: Mapping[str, Tensor]) -> SentimentModel:
    """The model before its first training step, the same for the same seed."""
    torch.manual_seed(job.training.seed)
    model = SentimentModel(job.model, job.vocabulary_size)
    load_word_vectors(model.embedding, job)
    model.load_state_dict({**model.state_dict(), **weights})
    return model
