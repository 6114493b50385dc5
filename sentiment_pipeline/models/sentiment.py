"""The model: from token ids to the logit of "positive".

Word vectors, and n-gram ratios if there are any, go through the LSTM; its outputs are pooled into one vector a review,
which one linear unit reads. A linear head over the n-grams may stand beside all that. Each part is a field of
`ModelConfig`, and the tutorial's model is one choice of them.
"""

import torch
from torch import Tensor, nn

from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.linear_head import LinearHead
from sentiment_pipeline.models.ngram_ratios import NgramRatios
from sentiment_pipeline.models.pooling import Pooling
from sentiment_pipeline.models.recurrent import Recurrent

__all__ = ["Scorer", "SentimentModel"]

_UNKNOWN_ID = 1  # hides a word from the model


class Scorer(nn.Module):
    """A module that gives each review a number, from ids truncated and padded as its `config` says, and lengths."""

    config: ModelConfig


class SentimentModel(Scorer):
    """The layers that a `ModelConfig` describes.

    The names of its parts are those in `model.safetensors`, so they stay as they are: `evidence` is the n-gram ratios.

    Args:
        config: also says how reviews are truncated and padded for the model.
        vocabulary_size: ids, with the two special ones.
    """

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(vocabulary_size, config.embedding)
        self.embedding_dropout = nn.Dropout(config.embedding_dropout)
        self.evidence = NgramRatios(config.ngrams, config.ngram_buckets) if config.ngrams else None
        self.lstm = Recurrent(
            config.embedding + config.ngrams,
            config.hidden,
            config.layers,
            config.bidirectional,
            config.cell,
            config.dropout,
        )
        self.pooling = Pooling(config.pooling, self.lstm.size, config.bidirectional)
        self.dropout = nn.Dropout(config.dropout)
        self.linear = nn.Linear(self.pooling.size, 1)
        self.head = LinearHead(config.ngrams, config.ngram_buckets) if config.has_linear_head else None
        nn.init.normal_(self.embedding.weight, std=config.embedding_std)
        if config.initialization == "orthogonal":
            self.lstm.initialize_orthogonal()

    def forward(self, ids: Tensor, lengths: Tensor, ratios: Tensor | None = None) -> Tensor:
        """The logit of each review, float32, [reviews]; of the LSTM alone while training.

        Args:
            ids: token ids, [time, reviews], as `config.truncation` gives them; 0 for padding.
            lengths: how many of each review's ids are tokens, [reviews].
            ratios: instead of the model's own n-gram ratios, float32, [time, reviews, ngrams].
        """
        logits = self._lstm_logits(*self._truncated(ids, lengths), ratios)
        return logits if self.head is None or self.training else (logits + self.head(ids, lengths)) / 2

    def positions(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The position of each of `ids` in its review, int64, [time, reviews]; negative for padding on the left."""
        position = torch.arange(len(ids), device=ids.device)[:, None].expand_as(ids)
        return position - (len(ids) - lengths) if self.config.padding == "left" else position

    def _lstm_logits(self, ids: Tensor, lengths: Tensor, ratios: Tensor | None) -> Tensor:
        """The LSTM's logit of each review, float32, [reviews]."""
        inputs = self.embedding_dropout(self.embedding(self._with_words_hidden(ids)))
        if self.evidence is not None:
            ratios = self.evidence(ids, self.positions(ids, lengths)) if ratios is None else ratios
            inputs = torch.cat([inputs, ratios], dim=-1)
        if self.config.padding == "left":
            lengths = torch.full_like(lengths, len(ids))  # the padding is read like words
        pooled = self.pooling(self.lstm(inputs, lengths), lengths)
        return self.linear(self.dropout(pooled)).squeeze(-1).float()

    def _truncated(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """What the LSTM reads of reviews that were truncated for the head, as `gather_ids` would have cut it."""
        length = self.config.length
        if len(ids) <= length:
            return ids, lengths
        kept = lengths.clamp(max=length)
        position = torch.arange(length, device=ids.device)[:, None]
        skipped = torch.where(position >= length - self.config.tail, lengths - kept, 0)
        return ids.gather(0, position + skipped).masked_fill(position >= kept, 0), kept

    def _with_words_hidden(self, ids: Tensor) -> Tensor:
        if not self.training or not self.config.word_dropout:
            return ids
        return ids.masked_fill(torch.rand(ids.shape, device=ids.device) < self.config.word_dropout, _UNKNOWN_ID)
