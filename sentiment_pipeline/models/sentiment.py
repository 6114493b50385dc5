"""The model: from token ids to the logit of "positive".

Word vectors, and n-gram ratios if the config has them, go through the LSTM; its outputs are pooled into one vector per
review, which one linear unit reads. A linear head over the n-grams may be added; the model's logit is then the mean of
the two. Each part is chosen by fields of `ModelConfig`, and the tutorial's model is one such choice.
"""

import torch
from torch import Tensor, nn

from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.linear_head import LinearHead
from sentiment_pipeline.models.ngram_ratios import NgramRatios
from sentiment_pipeline.models.pooling import Pooling
from sentiment_pipeline.models.recurrent import Recurrent

__all__ = ["Scorer", "SentimentModel"]

_UNKNOWN_ID = 1


class Scorer(nn.Module):
    """A module that scores each review: from ids, truncated and padded by `config.truncation`, and lengths to scores.

    Attributes:
        config: the config of the model.
    """

    config: ModelConfig


class SentimentModel(Scorer):
    """The layers that a `ModelConfig` describes.

    The names of its parts are those in `model.safetensors`, so they must not change: `evidence` is the n-gram ratios.

    Args:
        config: the parts, and how reviews are truncated and padded for them.
        vocabulary_size: number of ids, the two special ones included.
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
        """The logit of each review, float32, [reviews]; in training mode that of the LSTM alone.

        Args:
            ids: token ids, truncated by `config.truncation`, 0 for padding; any integer type, [time, reviews].
            lengths: number of tokens of each review; integers, [reviews].
            ratios: n-gram ratios to use in place of the model's own, float32, [time, reviews, ngrams].
        """
        logits = self._lstm_logits(*self.truncated(ids, lengths), ratios)
        return logits if self.head is None or self.training else (logits + self.head(ids, lengths)) / 2

    def positions(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The position of each token in its review, int64, [time, reviews]; negative for padding on the left.

        Args:
            ids: as for `forward`.
            lengths: as for `forward`.
        """
        position = torch.arange(len(ids), device=ids.device)[:, None].expand_as(ids)
        return position - (len(ids) - lengths) if self.config.padding == "left" else position

    def _lstm_logits(self, ids: Tensor, lengths: Tensor, ratios: Tensor | None) -> Tensor:
        """The LSTM's logit of each review, float32, [reviews]."""
        inputs = self.embedding_dropout(self.embedding(self._with_words_hidden(ids)))
        if self.evidence is not None:
            ratios = self.evidence(ids, self.positions(ids, lengths)) if ratios is None else ratios
            inputs = torch.cat([inputs, ratios], dim=-1)
        if self.config.padding == "left":
            lengths = torch.full_like(lengths, len(ids))  # padding on the left is read like words
        pooled = self.pooling(self.lstm(inputs, lengths), lengths)
        return self.linear(self.dropout(pooled)).squeeze(-1).float()

    def truncated(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The part that the LSTM reads of reviews that were truncated for the linear head, as `gather_ids` gives it.

        Args:
            ids: as for `forward`.
            lengths: as for `forward`.
        """
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
