"""The settings of the model: the function from token ids to a logit, so they travel in the model folder."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sentiment_pipeline.data.truncation import Truncation

__all__ = ["ModelConfig"]


@dataclass(frozen=True)
class ModelConfig:
    """The model: word vectors and n-gram ratios, LSTM, pooling and one linear unit."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    length: int = field(
        metadata=dict(
            ge=1, le=100_000, description="tokens of a review that the model reads; the rest of a longer one is cut off"
        )
    )
    tail: int = field(
        metadata=dict(
            ge=0, le=100_000, description="how many of those tokens are taken from the end of a longer review"
        )
    )
    padding: Literal["left", "right"] = field(
        metadata=dict(
            description="left: every batch padded on the left to exactly `length`, and the padding is read like words, "
            "as the tutorial does; right: padded to the batch's longest review, and the padding is masked"
        )
    )
    embedding: int = field(
        metadata=dict(
            ge=1, le=4096, description="numbers in the vector of a word; together with `ngrams` best a multiple of 32"
        )
    )
    embedding_std: float = field(
        metadata=dict(gt=0.0, le=10.0, description="standard deviation of the word vectors before training")
    )
    initialization: Literal["uniform", "orthogonal"] = field(
        metadata=dict(
            description="first weights of the LSTM: uniform, as torch draws them; orthogonal: orthogonal recurrent "
            "weights and the forget gate open"
        )
    )
    cell: Literal["fused", "scratch"] = field(
        metadata=dict(
            description="fused: torch.nn.LSTM; scratch: the same LSTM written out in its gate equations, slower"
        )
    )
    hidden: int = field(metadata=dict(ge=1, le=8192, description="units of an LSTM layer, in each direction"))
    layers: int = field(metadata=dict(ge=1, le=16, description="LSTM layers on top of one another"))
    bidirectional: bool = field(metadata=dict(description="read each review from its end too"))
    pooling: Literal["last", "max_mean"] = field(
        metadata=dict(
            description="how the LSTM's outputs become one vector: the last time step, or maximum and mean side by side"
        )
    )
    dropout: float = field(
        metadata=dict(ge=0.0, lt=1.0, description="dropout between the LSTM layers and before the linear unit")
    )
    embedding_dropout: float = field(metadata=dict(ge=0.0, lt=1.0, description="dropout on the word vectors' numbers"))
    word_dropout: float = field(
        metadata=dict(
            ge=0.0, lt=1.0, description="fraction of the words of a training review that are replaced by `_UNK`"
        )
    )
    ngrams: int = field(
        metadata=dict(
            ge=0,
            le=5,
            description="what n-grams of 1 up to this many words say by themselves goes into the LSTM beside "
            "the word vectors; 0 leaves them out",
        )
    )
    ngram_buckets: int = field(metadata=dict(ge=2, le=1 << 28, description="numbers that the n-grams are hashed to"))
    linear_length: int = field(
        metadata=dict(
            ge=0,
            le=100_000,
            description="tokens of a review, at least `length`, that a linear head over the n-grams "
            "reads; its logit and the LSTM's are averaged; 0 leaves it out",
        )
    )

    @property
    def has_linear_head(self) -> bool:
        return self.linear_length > 0 and self.ngrams > 0 and self.padding == "right"

    @property
    def lstm_truncation(self) -> Truncation:
        """What the LSTM reads of a review."""
        return Truncation(self.length, self.tail, self.padding)

    @property
    def truncation(self) -> Truncation:
        """What any part of the model reads of a review: the linear head reads further than the LSTM."""
        length = max(self.length, self.linear_length) if self.has_linear_head else self.length
        return Truncation(length, self.tail, self.padding)
