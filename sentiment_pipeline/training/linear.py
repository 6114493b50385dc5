"""A linear model over the n-grams of a whole review: the LSTM's companion.

Each distinct n-gram adds its log-count ratio times a learned factor to the logit (Wang and Manning, ACL 2012). Such a
model and a recurrent one err on different reviews, so the mean of their logits is better than either (Mesnil et
al., ICLR 2015). It reads more of a long review than the LSTM can afford to.

It is fitted before the LSTM, in a small part of its time, and the LSTM learns without it: next to a companion that
remembers the training reviews there would be nothing left to learn.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, embedding_bag
from torch.optim import Adam, SparseAdam

from sentiment_pipeline.training.batches import assemble
from sentiment_pipeline.training.config import ModelConfig, TrainingConfig
from sentiment_pipeline.training.evidence import distinct, hashed
from sentiment_pipeline.training.history import Report
from sentiment_pipeline.training.order import Order
from sentiment_pipeline.training.packed import PackedReviews

SCALE = 0.1  # of the ratios, so that a step of the optimizer is a small one
FIRST_FACTOR = 0.1
TOLD = 20  # times in a fit


class LinearHead(nn.Module):
    """A bias, and a weight for each of `buckets` hashed n-grams of 1 to `longest` words."""

    weights: Tensor
    bias: Tensor

    def __init__(self, longest: int, buckets: int) -> None:
        super().__init__()
        self.longest = longest
        self.register_buffer("weights", torch.zeros(buckets, 1))  # no parameters: they are no part of the LSTM's
        self.register_buffer("bias", torch.zeros(1))  # training

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The logit of each review, float32, [reviews]; arguments as of the model, padded on the right."""
        return summed(self.weights, self.n_grams(ids, lengths)) + self.bias

    def n_grams(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The buckets of each review's distinct n-grams, int64, [reviews, longest * time]; 0 for none."""
        place = torch.arange(len(ids), device=ids.device)[:, None].expand_as(ids)
        buckets = hashed(ids, place, self.longest, len(self.weights))
        buckets = buckets.masked_fill((place >= lengths)[..., None], 0)
        return distinct(buckets.transpose(0, 1).flatten(1))


def summed(weights: Tensor, buckets: Tensor, shares: Tensor | None = None) -> Tensor:
    """The sum of the weights of each row's buckets, each times its share; bucket 0 must have none."""
    return embedding_bag(buckets, weights, mode="sum", per_sample_weights=shares, sparse=True).squeeze(1)


def fit(head: LinearHead, ratios: Tensor, reviews: PackedReviews, model: ModelConfig, training: TrainingConfig,
        check: Callable[[], None], tell: Report) -> None:
    """Fit the head to the training reviews.

    Args:
        ratios: the n-grams' log-count ratios, [buckets].
        check: called before each step; what it raises ends the work.
        tell: called now and then with the figures `linear_loss` and `linear_done`, a share.
    """
    order = Order(len(reviews), training.linear_batch_size, training.seed, reviews.lengths, model.reach)
    scaled = ratios[:, None] * SCALE
    factors = nn.Parameter(torch.full_like(scaled, FIRST_FACTOR))
    bias = nn.Parameter(torch.zeros_like(head.bias))
    optimizers = [SparseAdam([factors]), Adam([bias])]
    steps = order.batches * training.linear_epochs
    batches = (rows for epoch in range(training.linear_epochs) for rows in order.rows(epoch, 0))
    for step, rows in enumerate(batches):
        check()
        batch = assemble(reviews, rows, len(rows), model, model.reach).to(ratios.device)
        buckets = head.n_grams(batch.ids, batch.lengths)
        logits = summed(factors, buckets, scaled[buckets].squeeze(-1)) + bias
        loss = binary_cross_entropy_with_logits(logits, batch.labels.float())
        loss.backward()
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = training.linear_learning_rate * (1 - step / steps)
            optimizer.step()
            optimizer.zero_grad()
        if (step + 1) % -(-steps // TOLD) == 0:
            tell({"linear_loss": loss.item(), "linear_done": (step + 1) / steps})
    head.weights.copy_(factors.detach() * scaled)
    head.bias.copy_(bias.detach())
