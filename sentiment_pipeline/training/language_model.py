"""The word vectors and the LSTM as a language model of the training reviews, before they learn labels.

What a network has learned in predicting the next word is a better beginning than random numbers (Dai and Le, NIPS
2015), and it needs no further text. Each direction predicts what it has not seen: forwards the next word, backwards
the one before. A layer above a bidirectional one has seen both, so of a bidirectional LSTM the first layer is
pretrained, else all of them. N-gram ratios tell of neighbouring words; their inputs are zeros here.

Predicted are the most frequent words alone, 86 of 100 in IMDB's reviews: an exact softmax over them costs less than
sampling from all, and the rare words' vectors learn as inputs all the same.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, pad
from torch.utils.checkpoint import checkpoint

from sentiment_pipeline.training.batches import Batch
from sentiment_pipeline.training.config import ModelConfig
from sentiment_pipeline.training.evaluation import Metrics
from sentiment_pipeline.training.history import Report
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.model import Scorer
from sentiment_pipeline.training.objectives import Check, Context, begin_with_vectors
from sentiment_pipeline.training.precision import autocast
from sentiment_pipeline.training.recurrent import Dropout, Recurrent

PREDICTED = 2048  # ids that are predicted, the special ones among them; the vocabulary is sorted by frequency
POSITIONS = 1 << 13  # whose logits are in memory at once
IGNORED = -1
PLACE = ("step", "steps", "epoch")  # where in the training a figure belongs
FIRST, SECOND = slice(None, -1), slice(1, None)  # of each two neighbouring words
WAYS = ((FIRST, SECOND), (SECOND, FIRST))  # what a direction has seen, and predicts from it


class LanguageModel(Scorer):
    """The layers of a `SentimentModel` that read words, under the same names, with what predicts words from them."""

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.config = config
        layers = 1 if config.bidirectional else config.layers
        self.embedding = nn.Embedding(vocabulary_size, config.embedding)
        nn.init.normal_(self.embedding.weight, std=config.embedding_std)
        self.embedding_dropout = Dropout(config.embedding_dropout, config.variational)
        self.lstm = Recurrent(config.embedding + config.ngrams, config.hidden, layers, config.bidirectional,
                              config.cell, config.dropout, config.variational)
        if config.initialization == "orthogonal":
            self.lstm.open_gates()
        self.dropout = Dropout(config.dropout, config.variational)
        self.decoders = nn.ModuleList(nn.Linear(config.hidden, config.embedding)
                                      for _ in range(1 + config.bidirectional))
        self.bias = nn.Parameter(torch.zeros(min(PREDICTED, vocabulary_size)))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The mean over each review's predictable words of the cross-entropy in nats, float32, [reviews].

        Args:
            ids: token ids, [time, reviews], padded on the right.
            lengths: how many of each review's ids are tokens, [reviews].
        """
        vectors = self.embedding_dropout(self.embedding(ids))
        outputs = self.dropout(self.lstm(pad(vectors, (0, self.config.ngrams)), lengths))
        is_pair = torch.arange(len(ids) - 1, device=ids.device)[:, None] < lengths - 1  # two neighbouring words
        total, count = torch.zeros(ids.shape[1], device=ids.device), torch.zeros_like(lengths)
        for decoder, part, (seen, unseen) in zip(self.decoders, outputs.chunk(len(self.decoders), -1), WAYS,
                                                 strict=False):
            targets = ids[unseen].masked_fill(~is_pair | (ids[unseen] >= len(self.bias)), IGNORED).long()
            total = total + self.summed(decoder(part[seen]), targets)
            count = count + (targets != IGNORED).sum(0)
        return total / count.clamp(min=1)

    def summed(self, decoded: Tensor, targets: Tensor) -> Tensor:
        """As `losses`, in pieces whose logits are made again in the backward pass, because all would fill a memory."""
        steps = max(1, POSITIONS // targets.shape[1])
        pieces = zip(decoded.split(steps), targets.split(steps), strict=True)
        return torch.stack([checkpoint(self.losses, *piece, use_reentrant=False, preserve_rng_state=False)
                            for piece in pieces]).sum(0)

    def losses(self, decoded: Tensor, targets: Tensor) -> Tensor:
        """The sum of each review's cross-entropies, [reviews]."""
        logits = linear(decoded, self.embedding.weight[:len(self.bias)], self.bias).float()
        each = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none")
        return each.view_as(targets).sum(0)


class NextWord:
    """The next word of a review, and the one before."""

    def __init__(self, context: Context) -> None:
        self.context, job = context, context.job
        torch.manual_seed(job.training.seed)
        self.model = LanguageModel(job.model, job.vocabulary_size).to(context.device)
        begin_with_vectors(self.model.embedding, job)

    def prepare(self, again: bool, check: Check, tell: Report) -> None:
        """Nothing comes before the first step."""

    def losses(self, network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        with autocast(self.context.device, self.context.dtype):
            losses = network(batch.ids, batch.lengths)
        return losses.sum(), torch.zeros_like(losses[:1]).sum()

    def validate(self, model: Scorer, check: Check) -> Metrics:
        scored = self.context.scores(model, check)
        return {"reviews": len(scored), "loss": float(scored.mean()) if len(scored) else 0.0, "accuracy": 0.0}


def job_of(job: Job) -> Job:
    """The pretraining that belongs to a training."""
    folder = job.checkpoints / "language-model"
    training = replace(job.training, epochs=job.training.pretraining_epochs, best="loss", validate_every=0,
                       learning_rate=job.training.pretraining_learning_rate, averaging=0.0)
    model = replace(job.model, padding="right", linear_length=0)
    return replace(job, checkpoints=folder, history=folder / "history.jsonl", model=model, training=training)


def weights_of(trained: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that a `SentimentModel` begins with."""
    return {name: each for name, each in trained.items() if name.startswith(("embedding.", "lstm."))}


def told_as_pretraining(report: Report) -> Report:
    """A report that tells pretraining's figures under names of their own."""
    def tell(figures: Mapping[str, float]) -> None:
        told = {name: value for name, value in figures.items() if "accuracy" not in name}
        report({name if name in PLACE else f"pretraining_{name}": value for name, value in told.items()})

    return tell
