"""The evaluation of a model on one split: accuracy, loss, F1 and the confusion matrix."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from sentiment_pipeline.data.packed import Array, PackedReviews
from sentiment_pipeline.models.inference import logits
from sentiment_pipeline.models.sentiment import Scorer, SentimentModel

__all__ = ["Metrics", "evaluate", "metrics", "score_split"]

Metrics = dict[str, Any]  # JSON values by name, as `metrics` returns them

_PIECE = 1 << 17  # reviews scored, and sorted by length, at a time


def evaluate(
    model: SentimentModel, reviews: PackedReviews, dtype: torch.dtype = torch.float32
) -> tuple[Metrics, Array]:
    """Score a split.

    Args:
        model: the model; scoring runs on its device.
        reviews: the reviews of the split.
        dtype: dtype of the matrix products.

    Returns:
        Its `metrics`, and the probability that each review is positive, float32, [reviews].
    """
    scored = score_split(model, reviews, dtype)
    return metrics(scored, reviews.labels), torch.from_numpy(scored).sigmoid().numpy()


def score_split(
    model: Scorer,
    reviews: PackedReviews,
    dtype: torch.dtype = torch.float32,
    check: Callable[[], None] = lambda: None,
    rank: int = 0,
    ranks: int = 1,
) -> Array:
    """The model's score of each review of a split, for a `SentimentModel` its logit; float32, [reviews].

    Args:
        model: the model; scoring runs on its device.
        reviews: the reviews of the split.
        dtype: dtype of the matrix products.
        check: called before each batch; an exception that it raises ends the scoring.
        rank: with `ranks`, score only every `ranks`-th piece of the split, starting with the `rank`-th; the other
            scores are 0.
        ranks: number of processes that share the split.
    """
    result = np.zeros(len(reviews), np.float32)
    size = min(_PIECE, -(-len(reviews) // ranks)) or 1
    for start in range(rank * size, len(reviews), ranks * size):
        offsets = reviews.offsets[start : start + size + 1]
        ids = reviews.ids[offsets[0] : offsets[-1]]
        result[start : start + size] = logits(model, ids, offsets - offsets[0], dtype, check=check)
    return result


def metrics(scores: Array, labels: Array) -> Metrics:
    """The metrics of predictions.

    Args:
        scores: logits, float32, [reviews]; above 0 means positive.
        labels: 0 negative, 1 positive; int8, [reviews].

    Returns:
        `reviews`, their number. `accuracy`; `loss`, the mean binary cross-entropy in nats; `f1`, `precision` and
        `recall` of the positive class, 0 where undefined; all five None without reviews. `confusion`, a list of two
        rows: rows are the true class, columns the predicted one, negative first.
    """
    scores, truth, predicted = scores.astype(np.float64), labels.astype(bool), scores > 0
    confusion = np.bincount(2 * truth + predicted, minlength=4).reshape(2, 2)
    (_, false_positive), (false_negative, true_positive) = confusion.tolist()
    reviews = len(scores)
    if not reviews:
        none = dict.fromkeys(("accuracy", "loss", "f1", "precision", "recall"))
        return {"reviews": 0, **none, "confusion": confusion.tolist()}
    return {
        "reviews": reviews,
        "accuracy": float(np.trace(confusion)) / reviews,
        "loss": float(np.logaddexp(0, np.where(truth, -scores, scores)).sum()) / reviews,
        "f1": _ratio(2 * true_positive, 2 * true_positive + false_positive + false_negative),
        "precision": _ratio(true_positive, true_positive + false_positive),
        "recall": _ratio(true_positive, true_positive + false_negative),
        "confusion": confusion.tolist(),
    }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
