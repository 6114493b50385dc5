"""Probabilities from token ids, in the order they were given.

Reviews are scored sorted by length, as many at a time as fit a number of tokens, so that little is padding and one
enormous review does not need the memory of a batch of them.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from sentiment_pipeline.training.batches import cut
from sentiment_pipeline.training.model import Scorer
from sentiment_pipeline.training.packed import Array
from sentiment_pipeline.training.precision import autocast

TOKENS = 1 << 16  # of a batch, with padding


@torch.inference_mode()
def logits(model: Scorer, ids: Array, offsets: Array, dtype: torch.dtype = torch.float32,
           tokens: int = TOKENS, check: Callable[[], None] = lambda: None) -> Array:
    """What the model gives each review, for a `SentimentModel` its logit; float32, [reviews].

    Args:
        ids: token ids of all reviews, one after another, any integer type.
        offsets: where each review begins, and the end of the last, int64, [reviews + 1]; empty reviews are allowed.
        dtype: the format of the matrix products.
        tokens: the largest batch, in tokens with padding; at least one review is scored at a time.
        check: called before each batch; what it raises ends the work.
    """
    device, training = next(model.parameters()).device, model.training
    model.eval()
    result = np.zeros(len(offsets) - 1, np.float32)
    for rows in groups(np.diff(offsets), model.config.reach, model.config.padding == "left", tokens):
        check()
        cut_ids, kept = cut(ids, offsets, rows, model.config, model.config.reach)
        with autocast(device, dtype):
            result[rows] = model(to(cut_ids, device), to(kept, device)).cpu().numpy()
    model.train(training)
    return result


def probabilities(model: Scorer, ids: Array, offsets: Array, dtype: torch.dtype = torch.float32,
                  tokens: int = TOKENS) -> Array:
    """The probability that each review is positive, float32, [reviews]; arguments as for `logits`."""
    return torch.from_numpy(logits(model, ids, offsets, dtype, tokens)).sigmoid().numpy()


def groups(lengths: Array, longest: int, padded: bool, tokens: int) -> Iterator[Array]:
    """Review numbers by length, longest first, in groups of at most `tokens` tokens with padding."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        time = longest if padded else max(1, min(longest, int(lengths[order[start]])))
        count = max(1, tokens // time)
        yield order[start:start + count]
        start += count


def to(array: Array, device: torch.device) -> Tensor:
    return torch.from_numpy(array).to(device)
