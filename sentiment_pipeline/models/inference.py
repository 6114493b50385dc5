"""Scores of reviews, from their token ids.

Reviews are scored in order of length, in batches of limited size, so that little is padding and one enormous review
does not take the memory of a batch of them. On a CPU each core scores a batch of its own: cores that share the steps of
an LSTM wait for each other most of the time. Results are in the order of the input.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from torch import Tensor

from sentiment_pipeline.data.batches import gather_ids
from sentiment_pipeline.data.packed import Array
from sentiment_pipeline.models.cpu_scoring import CpuScorer
from sentiment_pipeline.models.precision import autocast
from sentiment_pipeline.models.sentiment import Scorer, SentimentModel

__all__ = ["logits"]

_Forward = Callable[[Tensor, Tensor], Tensor]

_BATCH_TOKENS = 1 << 16  # with padding
_CPU_BATCH_REVIEWS = 384  # larger ones leave the caches
_FEW_REVIEWS = 48  # up to which `torch.nn.LSTM` takes less time than `CpuScorer`


@torch.inference_mode()
def logits(
    model: Scorer,
    ids: Array,
    offsets: Array,
    dtype: torch.dtype = torch.float32,
    tokens: int = _BATCH_TOKENS,
    check: Callable[[], None] = lambda: None,
    rows: Array | None = None,
) -> Array:
    """The model's score of each review, for a `SentimentModel` its logit; float32, [reviews].

    Args:
        model: the model; scoring runs on its device, in evaluation mode.
        ids: token ids of all reviews, one review after another; any integer type, [tokens].
        offsets: where each review begins, and the end of the last one; int64, [reviews + 1]. Reviews may be empty.
        dtype: dtype of the matrix products.
        tokens: maximum size of a batch, in tokens with padding; a batch holds at least one review.
        check: called before each batch; an exception that it raises ends the scoring.
        rows: the indices of the reviews to score, int64, [rows]; the others get 0. None: all.
    """
    is_on_cpu, training = next(model.parameters()).device.type == "cpu", model.training
    truncation, result = model.config.truncation, np.zeros(len(offsets) - 1, np.float32)
    reviews = _CPU_BATCH_REVIEWS if is_on_cpu else len(result)
    lengths, is_padded = np.diff(offsets), truncation.padding == "left"
    rows = np.arange(len(result)) if rows is None else rows
    groups = [rows[group] for group in _groups(lengths[rows], truncation.length, is_padded, tokens, reviews)]
    few, many = partial(_with_autocast, model.eval(), dtype), None
    if is_on_cpu and isinstance(model, SentimentModel) and any(len(group) > _FEW_REVIEWS for group in groups):
        many = CpuScorer(model, dtype)
    score = partial(_score, few, many or few, model, ids, offsets, result)
    if is_on_cpu and len(groups) > 1:
        _in_threads(score, groups, check)
    else:
        for group in groups:
            check()
            score(group)
    model.train(training)
    return result


@torch.inference_mode()  # which is a thread's own
def _score(
    few: _Forward, many: _Forward, model: Scorer, ids: Array, offsets: Array, result: Array, rows: Array
) -> None:
    """Score the reviews `rows` by the function for few or that for many, and put their scores into `result`."""
    device = next(model.parameters()).device
    batch, kept = gather_ids(ids, offsets, rows, model.config.truncation)
    forward = many if len(rows) > _FEW_REVIEWS else few
    result[rows] = forward(torch.from_numpy(batch).to(device), torch.from_numpy(kept).to(device)).cpu().numpy()


def _with_autocast(model: Scorer, dtype: torch.dtype, ids: Tensor, lengths: Tensor) -> Tensor:
    with autocast(ids.device, dtype):
        scores: Tensor = model(ids, lengths)
        return scores


def _in_threads(score: Callable[[Array], None], groups: list[Array], check: Callable[[], None]) -> None:
    """Call `score` for each group, in a thread for each core, each of which uses one core."""
    threads = ThreadPoolExecutor(torch.get_num_threads(), initializer=torch.set_num_threads, initargs=(1,))
    try:
        for future in [threads.submit(score, rows) for rows in groups]:
            check()
            future.result()
    finally:
        threads.shutdown(cancel_futures=True)


def _groups(lengths: Array, longest: int, padded: bool, tokens: int, reviews: int) -> Iterator[Array]:
    """Indices of reviews by length, longest first, in groups of at most so many tokens with padding and reviews."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        time = longest if padded else max(1, min(longest, int(lengths[order[start]])))
        count = max(1, min(reviews, tokens // time))
        yield order[start : start + count]
        start += count
