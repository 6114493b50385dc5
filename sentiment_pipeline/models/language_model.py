"""The word vectors and the LSTM as a language model.

A network that has learned to predict the next word is a better starting point than random weights (Dai and Le, NIPS
2015), and it needs no other text. Each direction predicts what it has not seen: the forward one the next word, the
backward one the word before. A layer above a bidirectional one has seen both, so only the first layer of a
bidirectional LSTM is pretrained; otherwise all layers are. N-gram ratios would reveal the neighbouring words, so their
inputs are zeros here.

Only the most frequent words are predicted, 86 of 100 in IMDB's reviews: an exact softmax over them costs less than
sampling from all words, and the vectors of rare words are still trained as inputs.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, pad
from torch.utils.checkpoint import checkpoint

from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.recurrent import Recurrent
from sentiment_pipeline.models.sentiment import Scorer

__all__ = ["LanguageModel", "pretrained_weights"]

_PREDICTED = 2048  # ids that are predicted, including the special ones; the vocabulary is sorted by frequency
_LOGITS_AT_ONCE = 1 << 13  # positions whose logits are in memory at once
_IGNORED = -1
_FIRST, _SECOND = slice(None, -1), slice(1, None)  # of each pair of neighbouring words
_DIRECTIONS = ((_FIRST, _SECOND), (_SECOND, _FIRST))  # the word that a direction has seen, and the one it predicts


class LanguageModel(Scorer):
    """The layers of a `SentimentModel` that read words, under the same names, with decoders that predict words.

    The output layer shares its weights with the word vectors.

    Args:
        config: the config of the `SentimentModel`; its padding must be `right`.
        vocabulary_size: number of ids, the two special ones included.
    """

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.config = config
        layers = 1 if config.bidirectional else config.layers
        self.embedding = nn.Embedding(vocabulary_size, config.embedding)
        nn.init.normal_(self.embedding.weight, std=config.embedding_std)
        self.embedding_dropout = nn.Dropout(config.embedding_dropout)
        self.lstm = Recurrent(
            config.embedding + config.ngrams, config.hidden, layers, config.bidirectional, config.cell, config.dropout
        )
        if config.initialization == "orthogonal":
            self.lstm.initialize_orthogonal()
        self.dropout = nn.Dropout(config.dropout)
        self.decoders = nn.ModuleList(
            nn.Linear(config.hidden, config.embedding) for _ in range(1 + config.bidirectional)
        )
        self.bias = nn.Parameter(torch.zeros(min(_PREDICTED, vocabulary_size)))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The mean cross-entropy of each review's predictable words, in nats, float32, [reviews]; 0 without any.

        Args:
            ids: token ids, padded on the right; any integer type, [time, reviews].
            lengths: number of tokens of each review; integers, [reviews].
        """
        vectors = self.embedding_dropout(self.embedding(ids))
        outputs = self.dropout(self.lstm(pad(vectors, (0, self.config.ngrams)), lengths))
        is_pair = torch.arange(len(ids) - 1, device=ids.device)[:, None] < lengths - 1  # two neighbouring words
        total, count = torch.zeros(ids.shape[1], device=ids.device), torch.zeros_like(lengths)
        for decoder, part, (seen, unseen) in zip(
            self.decoders, outputs.chunk(len(self.decoders), -1), _DIRECTIONS, strict=False
        ):
            targets = ids[unseen].masked_fill(~is_pair | (ids[unseen] >= len(self.bias)), _IGNORED).long()
            total = total + self._summed_losses(decoder(part[seen]), targets)
            count = count + (targets != _IGNORED).sum(0)
        return total / count.clamp(min=1)

    def _summed_losses(self, decoded: Tensor, targets: Tensor) -> Tensor:
        """As `_losses`, in pieces whose logits are recomputed in the backward pass, to save memory."""
        steps = max(1, _LOGITS_AT_ONCE // targets.shape[1])
        pieces = zip(decoded.split(steps), targets.split(steps), strict=True)
        return torch.stack(
            [checkpoint(self._losses, *piece, use_reentrant=False, preserve_rng_state=False) for piece in pieces]
        ).sum(0)

    def _losses(self, decoded: Tensor, targets: Tensor) -> Tensor:
        """The sum of each review's cross-entropies in nats, float32, [reviews]."""
        logits = linear(decoded, self.embedding.weight[: len(self.bias)], self.bias).float()
        each = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=_IGNORED, reduction="none")
        return each.view_as(targets).sum(0)


def pretrained_weights(trained: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a trained `LanguageModel` that initialize a `SentimentModel`, by their names in it."""
    return {name: each for name, each in trained.items() if name.startswith(("embedding.", "lstm."))}
