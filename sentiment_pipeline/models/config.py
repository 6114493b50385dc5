"""The settings of the model. They define the function from token ids to a logit, so `config.json` holds them too."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sentiment_pipeline.data.truncation import Truncation

__all__ = ["ModelConfig"]


@dataclass(frozen=True)
class ModelConfig:
    """The model: word vectors and n-gram ratios, LSTM, pooling and an output layer of one unit.

    The metadata of each field describes it and its limits.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    length: int = field(
        metadata=dict(
            ge=1, le=100_000, description="Tokens of a review that the LSTM reads at most; a longer review is truncated"
        )
    )
    tail: int = field(
        metadata=dict(
            ge=0, le=100_000, description="How many of these tokens are taken from the end of a truncated review"
        )
    )
    padding: Literal["left", "right"] = field(
        metadata=dict(
            description="Pad each batch on the left to exactly `length` and read the padding like words, as the "
            "tutorial does (`left`), or pad to the longest review of the batch and mask the padding "
            "(`right`)"
        )
    )
    embedding: int = field(
        metadata=dict(
            ge=1,
            le=4096,
            description="Dimension of the word vectors; fastest if its sum with `ngrams` is a multiple of 32",
        )
    )
    embedding_std: float = field(
        metadata=dict(gt=0.0, le=10.0, description="Standard deviation of the initial word vectors")
    )
    initialization: Literal["uniform", "orthogonal"] = field(
        metadata=dict(
            description="Initial LSTM weights: PyTorch's default (`uniform`), or orthogonal recurrent weights and "
            "open forget gates (`orthogonal`)"
        )
    )
    cell: Literal["fused", "scratch"] = field(
        metadata=dict(
            description="LSTM implementation: torch.nn.LSTM (`fused`), or the gate equations written out, slower "
            "(`scratch`)"
        )
    )
    hidden: int = field(metadata=dict(ge=1, le=8192, description="Units of each LSTM layer, in each direction"))
    layers: int = field(metadata=dict(ge=1, le=16, description="Number of stacked LSTM layers"))
    bidirectional: bool = field(metadata=dict(description="Read each review backwards, too"))
    pooling: Literal["last", "max_mean"] = field(
        metadata=dict(
            description="How the LSTM's outputs become one vector: the output at the last time step (`last`), or "
            "maximum and mean over time, concatenated (`max_mean`)"
        )
    )
    dropout: float = field(
        metadata=dict(ge=0.0, lt=1.0, description="Dropout rate between LSTM layers and before the output layer")
    )
    embedding_dropout: float = field(
        metadata=dict(ge=0.0, lt=1.0, description="Dropout rate on the components of the word vectors")
    )
    word_dropout: float = field(
        metadata=dict(
            ge=0.0, lt=1.0, description="Fraction of the words of a training review that are replaced by `_UNK`"
        )
    )
    ngrams: int = field(
        metadata=dict(
            ge=0,
            le=5,
            description="Words of the longest n-grams whose naive Bayes log-count ratios the LSTM reads beside "
            "the word vectors; 0: none",
        )
    )
    ngram_buckets: int = field(metadata=dict(ge=2, le=1 << 28, description="Number of hash buckets for n-grams"))
    linear_length: int = field(
        metadata=dict(
            ge=0,
            le=100_000,
            description="Tokens of a review, at least `length`, that a linear head over the n-grams reads; its "
            "logit and the LSTM's are averaged; 0: no linear head",
        )
    )

    @property
    def has_linear_head(self) -> bool:
        """Whether a linear head stands beside the LSTM: it needs n-grams, and padding on the right."""
        return self.linear_length > 0 and self.ngrams > 0 and self.padding == "right"

    @property
    def lstm_truncation(self) -> Truncation:
        """The part of a review that the LSTM reads."""
        return Truncation(self.length, self.tail, self.padding)

    @property
    def truncation(self) -> Truncation:
        """The part of a review that the whole model reads: the linear head may read more of it than the LSTM."""
        length = max(self.length, self.linear_length) if self.has_linear_head else self.length
        return Truncation(length, self.tail, self.padding)
