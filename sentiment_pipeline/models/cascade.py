"""A cascade: where the linear head is sure it decides alone, and the LSTM reads the other reviews only.

Most reviews say clearly what they mean, and the linear head takes a fraction of the LSTM's time. From which logit on it
decides is chosen on validation reviews, so that the label is almost always that of the whole model.
"""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from sentiment_pipeline.data.packed import Array, PackedReviews
from sentiment_pipeline.models.evaluation import Metrics, score_split
from sentiment_pipeline.models.inference import logits
from sentiment_pipeline.models.sentiment import Scorer, SentimentModel

__all__ = ["Cascade", "HeadScorer", "cascade_logits", "evaluate_cascade", "fit_cascade"]

_MAX_DISAGREEMENT = 0.002  # fraction of reviews
_MIN_REVIEWS = 1000  # on fewer, nothing can be said of such a fraction


@dataclass(frozen=True)
class Cascade:
    """When the linear head decides alone.

    Attributes:
        threshold: it does where its logit is farther from 0.
        scale: its logit times this is then the logit.
    """

    threshold: float
    scale: float

    def decides(self, head: Array) -> Array:
        """Where the head decides alone, bool, [reviews], from its logits, float32, [reviews]."""
        return np.abs(head) > self.threshold


class HeadScorer(Scorer):
    """The linear head of a model, to be scored by itself."""

    def __init__(self, model: SentimentModel) -> None:
        super().__init__()
        self.config, self.model = model.config, model
        self.train(model.training)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """As `LinearHead.forward`."""
        assert self.model.head is not None
        logits: Tensor = self.model.head(ids, lengths)
        return logits


def fit_cascade(head: Array, whole: Array) -> Cascade | None:
    """The cascade with the lowest threshold at which enough labels of validation reviews stay the same.

    That is when at most 0.2 % differ, less a standard error, because other reviews will not be exactly like these.

    Args:
        head: logits of the linear head, float32, [reviews].
        whole: logits of the whole model, float32, [reviews].

    Returns:
        The cascade; None if there are too few reviews to choose it, or none of which the head is sure.

    The head is wrong where its logit is 1, and right where it is farther from 0:

    >>> fit_cascade(np.array([4.0, -3, 1] * 400), np.array([8.0, -6, -2] * 400))
    Cascade(threshold=1.0, scale=2.0)
    """
    if len(head) < _MIN_REVIEWS:
        return None
    order = np.argsort(-np.abs(head), kind="stable")
    disagreements = np.cumsum((head[order] > 0) != (whole[order] > 0))
    allowed = disagreements + np.sqrt(disagreements + 1) <= _MAX_DISAGREEMENT * len(head)
    decided = int(allowed.sum())
    threshold = float(np.abs(head[order[decided]])) if decided < len(head) else 0.0
    sure = np.abs(head) > threshold
    if not sure.any():
        return None
    scale = float(np.dot(head[sure], whole[sure]) / np.dot(head[sure], head[sure]))  # least squares, through 0
    return Cascade(threshold, scale) if scale > 0 else None


def cascade_logits(
    model: SentimentModel, cascade: Cascade, ids: Array, offsets: Array, dtype: torch.dtype = torch.float32
) -> Array:
    """The logit of each review, float32, [reviews]; arguments as for `inference.logits`."""
    head = logits(HeadScorer(model), ids, offsets, dtype)
    decided = cascade.decides(head)
    whole = logits(model, ids, offsets, dtype, rows=np.flatnonzero(~decided))
    return np.where(decided, np.float32(cascade.scale) * head, whole)


def evaluate_cascade(
    model: SentimentModel, validation: PackedReviews, test: PackedReviews, labels: Array, dtype: torch.dtype
) -> Metrics | None:
    """Fit a cascade on validation reviews and compare it with the whole model on test reviews.

    Args:
        model: the model.
        validation, test: the two splits.
        labels: the whole model's labels of the test reviews, bool, [reviews].
        dtype: dtype of the matrix products.

    Returns:
        `threshold` and `scale` of the cascade; the fractions of the test reviews of which the head decides (`decided`),
        of the same label as the whole model's (`agreement`), and of the right one (`accuracy`). None without a linear
        head, without test reviews, and where `fit_cascade` finds none.
    """
    if model.head is None or not len(test):
        return None
    head = HeadScorer(model)
    cascade = fit_cascade(score_split(head, validation), score_split(model, validation, dtype))
    if cascade is None:
        return None
    scores = score_split(head, test)
    decided = cascade.decides(scores)
    found = np.where(decided, scores > 0, labels)
    fractions = {"decided": decided, "agreement": found == labels, "accuracy": found == test.labels.astype(bool)}
    return {**asdict(cascade), **{name: float(values.mean()) for name, values in fractions.items()}}
