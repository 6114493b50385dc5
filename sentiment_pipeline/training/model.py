"""The model: from token ids to the logit of "positive".

Word vectors, and what the n-grams say if that is wanted, go through the LSTM; its outputs are pooled into one vector a
review, which one linear unit reads. A linear head over the n-grams may stand beside all that. Every lever is a field of
`ModelConfig`, and the tutorial's model is one choice of them.
"""

import torch
from torch import Tensor, nn

from sentiment_pipeline.training.config import ModelConfig
from sentiment_pipeline.training.evidence import Evidence
from sentiment_pipeline.training.linear import LinearHead
from sentiment_pipeline.training.pooling import Pooling
from sentiment_pipeline.training.recurrent import Dropout, Recurrent

UNKNOWN = 1  # the id that hides a word from the model


class Scorer(nn.Module):
    """Whatever gives each review a number: called with ids, cut and padded as `config` says, and their lengths."""

    config: ModelConfig


class SentimentModel(Scorer):
    """`ModelConfig` made into layers.

    Attributes:
        config: what it was made from; says too how reviews are cut and padded for it.
    """

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(vocabulary_size, config.embedding)
        self.embedding_dropout = Dropout(config.embedding_dropout, config.variational)
        self.evidence = Evidence(config.ngrams, config.ngram_buckets) if config.ngrams else None
        self.lstm = Recurrent(config.embedding + config.ngrams, config.hidden, config.layers, config.bidirectional,
                              config.cell, config.dropout, config.variational)
        self.pooling = Pooling(config.pooling, self.lstm.size, config.bidirectional)
        self.dropout = nn.Dropout(config.dropout)
        self.linear = nn.Linear(self.pooling.size, 1)
        self.head = LinearHead(config.ngrams, config.ngram_buckets) if config.has_linear_head else None
        self.initialize()

    def initialize(self) -> None:
        """First weights, where they are not torch's own."""
        nn.init.normal_(self.embedding.weight, std=self.config.embedding_std)
        if self.config.initialization == "orthogonal":
            self.lstm.open_gates()

    def forward(self, ids: Tensor, lengths: Tensor, evidence: Tensor | None = None) -> Tensor:
        """The logit of each review, float32, [reviews]; of the LSTM alone while training.

        Args:
            ids: up to `config.reach` tokens, [time, reviews], padded with 0 as the config says.
            lengths: how many of each review's ids are tokens, [reviews].
            evidence: what to take instead of the model's own n-gram ratios, [time, reviews, ngrams].
        """
        logits = self.recurrent(*self.shortened(ids, lengths), evidence)
        return logits if self.head is None or self.training else (logits + self.head(ids, lengths)) / 2

    def recurrent(self, ids: Tensor, lengths: Tensor, evidence: Tensor | None) -> Tensor:
        """The LSTM's logit of each review, float32, [reviews]; arguments as of `forward`, no longer than it reads."""
        inputs = self.embedding_dropout(self.embedding(self.with_words_hidden(ids)))
        if self.evidence is not None:
            evidence = self.evidence(ids, self.places(ids, lengths)) if evidence is None else evidence
            inputs = torch.cat([inputs, evidence], dim=-1)
        if self.config.padding == "left":
            lengths = torch.full_like(lengths, len(ids))  # the padding is read like words
        pooled = self.pooling(self.lstm(inputs, lengths), lengths)
        return self.linear(self.dropout(pooled)).squeeze(-1).float()

    def shortened(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """What the LSTM reads of reviews that are longer, as `batches.cut` would have cut it."""
        length = self.config.length
        if len(ids) <= length:
            return ids, lengths
        kept = lengths.clamp(max=length)
        place = torch.arange(length, device=ids.device)[:, None]
        skipped = torch.where(place >= length - self.config.tail, lengths - kept, 0)
        return ids.gather(0, place + skipped).masked_fill(place >= kept, 0), kept

    def with_words_hidden(self, ids: Tensor) -> Tensor:
        if not self.training or not self.config.word_dropout:
            return ids
        return ids.masked_fill(torch.rand(ids.shape, device=ids.device) < self.config.word_dropout, UNKNOWN)

    def places(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Where each of `ids` is in its review, int64, [time, reviews]; negative for padding on the left."""
        place = torch.arange(len(ids), device=ids.device)[:, None].expand_as(ids)
        return place - (len(ids) - lengths) if self.config.padding == "left" else place
