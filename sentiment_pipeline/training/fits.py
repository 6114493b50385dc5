"""What is fitted before the first training step: the n-gram ratios, by counting, and the linear head.

Counts are integers, so the ratios do not depend on where and in which order they are counted, and a run that resumes
from a checkpoint counts them again. Fitting the head takes a small part of the training time. The LSTM is trained
without it: beside a head that has memorized the training reviews there would be nothing left to learn.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim import Adam, SparseAdam

from sentiment_pipeline.data.batches import assemble
from sentiment_pipeline.data.order import Order
from sentiment_pipeline.data.packed import PackedReviews
from sentiment_pipeline.data.truncation import Truncation
from sentiment_pipeline.models.linear_head import LinearHead, sum_of_weights
from sentiment_pipeline.models.ngram_ratios import CrossFittedRatios, NgramRatios, hash_ngrams
from sentiment_pipeline.training.config import TrainingConfig
from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.history import FiguresCallback
from sentiment_pipeline.training.signals import Check

__all__ = ["fit_linear_head", "fit_ngram_ratios"]

_SMOOTHING = 1.0  # added to every count
_COUNTED_AT_ONCE = 1 << 13  # reviews
_RATIO_SCALE = 0.1  # so that a step of the optimizer changes a weight little
_INITIAL_FACTOR = 0.1
_FIGURES = 20  # lines of figures while the head is fitted


def fit_ngram_ratios(
    module: NgramRatios, reviews: PackedReviews, folds: int, ranks: Ranks, check: Check = lambda: None
) -> CrossFittedRatios:
    """Count the n-grams of the training reviews, and set the ratios of a module.

    Args:
        module: its ratios are set to those of all reviews.
        reviews: the training reviews.
        folds: number of folds; review i is in fold i modulo `folds`.
        ranks: the processes that train together; each counts a part of the reviews.
        check: called before each piece of the reviews.

    Returns:
        The ratios for training: each review gets those that were counted without its fold.
    """
    counts = _count_ngrams(module, reviews, folds, ranks, check)
    total = counts.sum(0)
    module.ratios.copy_(_log_count_ratios(total))
    held_out = torch.stack([_log_count_ratios(total - counts[fold]) for fold in range(folds)])
    return CrossFittedRatios(held_out, module.longest)


def _count_ngrams(module: NgramRatios, reviews: PackedReviews, folds: int, ranks: Ranks, check: Check) -> Tensor:
    """The number of reviews of each fold and label that hold n-grams of each bucket, int32, [folds, 2, buckets]."""
    buckets, device = len(module.ratios), module.ratios.device
    counts = torch.zeros(folds * 2 * buckets, dtype=torch.int32, device=device)
    for start in range(ranks.rank * _COUNTED_AT_ONCE, len(reviews), ranks.size * _COUNTED_AT_ONCE):
        check()
        offsets = reviews.offsets[start : start + _COUNTED_AT_ONCE + 1]
        rows = np.arange(start, start + len(offsets) - 1)
        of_words = (
            reviews.ids[offsets[0] : offsets[-1]].astype(np.int64),
            np.arange(offsets[0], offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets)),  # position in the review
            np.repeat(rows - start, np.diff(offsets)),
        )
        ids, positions, review = (torch.from_numpy(each).to(device) for each in of_words)
        found = (hash_ngrams(ids, positions, module.longest, buckets) + review[:, None] * buckets).unique()
        group = torch.from_numpy(rows % folds * 2 + reviews.labels[rows]).to(device)
        found = found % buckets + group[found // buckets] * buckets
        counts.index_add_(0, found, torch.ones(len(found), dtype=torch.int32, device=device))
    counts = ranks.all_reduce(counts).view(folds, 2, buckets)
    counts[:, :, 0] = 0  # the bucket of n-grams that would begin before their review
    return counts


def _log_count_ratios(counts: Tensor) -> Tensor:
    """log p(n-gram | positive) - log p(n-gram | negative), smoothed, float32, [buckets].

    The ratio is 0 for n-grams of fewer than two reviews. Source: Wang and Manning, ACL 2012.

    Args:
        counts: number of negative and of positive reviews with n-grams of each bucket; int32, [2, buckets].
    """
    smooth = counts.double() + _SMOOTHING
    probabilities = smooth / smooth.sum(1, keepdim=True)
    return (probabilities[1].log() - probabilities[0].log()).masked_fill(counts.sum(0) < 2, 0).float()


def fit_linear_head(
    head: LinearHead,
    ratios: Tensor,
    reviews: PackedReviews,
    truncation: Truncation,
    config: TrainingConfig,
    check: Check,
    on_figures: FiguresCallback,
) -> None:
    """Fit the linear head to the training reviews, with Adam and sparse gradients.

    Args:
        head: its weights and bias are set.
        ratios: the log-count ratio of each bucket, float32, [buckets].
        reviews: the training reviews.
        truncation: the part of a review that the head reads.
        config: seed, and the settings `linear_epochs`, `linear_batch_size` and `linear_learning_rate`.
        check: called before each step.
        on_figures: called some 20 times with `linear_loss` and `linear_done`, the fraction of the steps that are done.
    """
    order = Order(len(reviews), config.linear_batch_size, config.seed, reviews.lengths, truncation.length)
    scaled = ratios[:, None] * _RATIO_SCALE
    factors = nn.Parameter(torch.full_like(scaled, _INITIAL_FACTOR))
    bias = nn.Parameter(torch.zeros_like(head.bias))
    optimizers = [SparseAdam([factors]), Adam([bias])]
    steps = order.batches * config.linear_epochs
    batches = (rows for epoch in range(config.linear_epochs) for rows in order.rows(epoch, 0))
    for step, rows in enumerate(batches):
        check()
        batch = assemble(reviews, rows, len(rows), truncation).to(ratios.device)
        buckets = head.buckets(batch.ids, batch.lengths)
        logits = sum_of_weights(factors, buckets, scaled[buckets].squeeze(-1)) + bias
        loss = binary_cross_entropy_with_logits(logits, batch.labels.float())
        loss.backward()
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = config.linear_learning_rate * (1 - step / steps)
            optimizer.step()
            optimizer.zero_grad()
        if (step + 1) % -(-steps // _FIGURES) == 0:
            on_figures({"linear_loss": loss.item(), "linear_done": (step + 1) / steps})
    head.weights.copy_(factors.detach() * scaled)
    head.bias.copy_(bias.detach())
