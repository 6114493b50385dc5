"""Scores and probabilities of reviews, from their token ids.

Reviews are scored in order of length, in batches of at most a number of tokens, so that little is padding and one
enormous review does not take the memory of a batch of them. Results are in the order of the input.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from sentiment_pipeline.data.batches import gather_ids
from sentiment_pipeline.data.packed import Array
from sentiment_pipeline.models.precision import autocast
from sentiment_pipeline.models.sentiment import Scorer

__all__ = ["logits", "probabilities"]

_BATCH_TOKENS = 1 << 16  # with padding


@torch.inference_mode()
def logits(
    model: Scorer,
    ids: Array,
    offsets: Array,
    dtype: torch.dtype = torch.float32,
    tokens: int = _BATCH_TOKENS,
    check: Callable[[], None] = lambda: None,
) -> Array:
    """The model's score of each review, for a `SentimentModel` its logit; float32, [reviews].

    Args:
        model: the model; scoring runs on its device, in evaluation mode.
        ids: token ids of all reviews, one review after another; any integer type, [tokens].
        offsets: where each review begins, and the end of the last one; int64, [reviews + 1]. Reviews may be empty.
        dtype: dtype of the matrix products.
        tokens: maximum size of a batch, in tokens with padding; a batch holds at least one review.
        check: called before each batch; an exception that it raises ends the scoring.
    """
    device, training = next(model.parameters()).device, model.training
    model.eval()
    truncation, result = model.config.truncation, np.zeros(len(offsets) - 1, np.float32)
    for rows in _groups(np.diff(offsets), truncation.length, truncation.padding == "left", tokens):
        check()
        batch, kept = gather_ids(ids, offsets, rows, truncation)
        with autocast(device, dtype):
            result[rows] = model(torch.from_numpy(batch).to(device), torch.from_numpy(kept).to(device)).cpu().numpy()
    model.train(training)
    return result


def probabilities(
    model: Scorer, ids: Array, offsets: Array, dtype: torch.dtype = torch.float32, tokens: int = _BATCH_TOKENS
) -> Array:
    """The probability that each review is positive, float32, [reviews]; arguments as for `logits`."""
    return torch.from_numpy(logits(model, ids, offsets, dtype, tokens)).sigmoid().numpy()


def _groups(lengths: Array, longest: int, padded: bool, tokens: int) -> Iterator[Array]:
    """Indices of reviews by length, longest first, in groups of at most `tokens` tokens with padding."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        time = longest if padded else max(1, min(longest, int(lengths[order[start]])))
        count = max(1, tokens // time)
        yield order[start : start + count]
        start += count
