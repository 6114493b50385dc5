"""What training makes better: the loss of a batch, and how good the weights are on held-out reviews.

The trainer knows steps, checkpoints and figures, and nothing of what is learned. `Sentiment` is what it learns in the
end; `language_model.NextWord` is what the word vectors and the LSTM may learn before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.training import evidence, linear
from sentiment_pipeline.training.batches import Batch
from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.evaluation import Metrics, metrics, scores
from sentiment_pipeline.training.evidence import CrossFitted
from sentiment_pipeline.training.history import Report
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.model import Scorer, SentimentModel
from sentiment_pipeline.training.packed import Array, PackedReviews, open_packed
from sentiment_pipeline.training.precision import autocast, choose_format
from sentiment_pipeline.training.vectors import read_vectors

Check = Callable[[], None]  # called now and then; what it raises ends the work


@dataclass(frozen=True)
class Context:
    """What a training works with, whatever it learns."""

    job: Job
    device: torch.device
    dtype: torch.dtype
    ranks: Ranks
    reviews: PackedReviews
    validation: PackedReviews

    @classmethod
    def opened(cls, job: Job, device: torch.device, ranks: Ranks) -> "Context":
        """The context of a job.

        Raises:
            PipelineError: the reviews are missing, damaged or none.
        """
        reviews = open_packed(job.packed / "train", job.vocabulary_size)
        validation = open_packed(job.packed / "validation", job.vocabulary_size)
        if not len(reviews):
            raise PipelineError(f"{reviews.folder} holds no reviews to train on")
        return cls(job, device, choose_format(job.training.precision, device), ranks, reviews, validation)

    def scores(self, model: Scorer, check: Check) -> Array:
        """What the model gives each validation review, float32, [reviews]; the processes score a part each."""
        scored = scores(model, self.validation, self.dtype, check, self.ranks.rank, self.ranks.size)
        return self.ranks.total(torch.from_numpy(scored).to(self.device)).cpu().numpy()


class Objective(Protocol):
    """What the trainer asks of what it makes better."""

    @property
    def model(self) -> Scorer:
        """What is trained."""

    def prepare(self, again: bool, check: Check, tell: Report) -> None:
        """Do what comes before the first step; `again` if a checkpoint holds the model's state already."""

    def losses(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """The sum of the losses of the batch's reviews, and how many were right; scalars.

        Args:
            network: the model as it is called in this process; one of several averages its gradients with the others.
        """

    def validate(self, model: Scorer, check: Check) -> Metrics:
        """`loss`, `accuracy` and more of `model`, of the same kind as `self.model`, on the validation reviews."""


class Sentiment:
    """The label of a review.

    Args:
        weights: to begin with, by their names in the model; the others are drawn.
    """

    def __init__(self, context: Context, weights: Mapping[str, Tensor]) -> None:
        self.context = context
        self.model = first_model(context.job, weights).to(context.device)
        self.evidence: CrossFitted | None = None

    def prepare(self, again: bool, check: Check, tell: Report) -> None:
        """Count what the n-grams say, and fit the head that goes by it, if a checkpoint does not hold that already."""
        model, job, ranks, reviews = self.model, self.context.job, self.context.ranks, self.context.reviews
        if model.evidence is None:
            return
        self.evidence = evidence.fit(model.evidence, reviews, job.training.ngram_folds, ranks, check)
        if model.head is not None and not again:
            linear.fit(model.head, model.evidence.ratios, reviews, job.model, job.training, check, tell)
            ranks.equalize(model.head)

    def losses(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        smoothing = self.context.job.training.label_smoothing
        with autocast(self.context.device, self.context.dtype):
            logits = network(batch.ids, batch.lengths, self.cross_fitted(batch))
        targets = batch.labels * (1 - smoothing) + smoothing / 2
        right = ((logits > 0) == (batch.labels > 0)).sum()
        return binary_cross_entropy_with_logits(logits, targets, reduction="sum"), right

    def cross_fitted(self, batch: Batch) -> Tensor | None:
        """What the n-grams say according to other reviews than those of the batch."""
        if self.evidence is None:
            return None
        return self.evidence.evidence(batch.ids, self.model.places(batch.ids, batch.lengths), batch.rows)

    def validate(self, model: Scorer, check: Check) -> Metrics:
        return metrics(self.context.scores(model, check), self.context.validation.labels)


def first_model(job: Job, weights: Mapping[str, Tensor]) -> SentimentModel:
    """The model before its first step, the same for the same seed.

    Raises:
        PipelineError: the file of word vectors is damaged, or its vectors are too long.
    """
    torch.manual_seed(job.training.seed)
    model = SentimentModel(job.model, job.vocabulary_size)
    begin_with_vectors(model.embedding, job)
    model.load_state_dict({**model.state_dict(), **weights})
    return model


def begin_with_vectors(embedding: nn.Embedding, job: Job) -> None:
    """Put the word vectors that the job begins with, if any, in place of drawn ones, at the same scale."""
    if job.vectors is None or job.words is None:
        return
    vectors = read_vectors(job.vectors, job.words, job.model.embedding)
    known = torch.from_numpy(np.isfinite(vectors))
    found = torch.from_numpy(vectors)[known]
    embedding.weight.data[known] = found / found.std(correction=0).clamp(min=1e-6) * job.model.embedding_std
