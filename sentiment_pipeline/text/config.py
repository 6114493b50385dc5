"""Settings of the prepare half, one group a stage.

Plain dataclasses, so that the library needs no pydantic; the field metadata holds what pydantic, the command line and
the Prefect form make of them. A step depends on the group that it uses and on nothing else, so a changed value redoes
exactly the stages that use it.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class IngestConfig:
    """Which lines are read, how the files are cut into shards, and how many bad lines are too many."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    train_lines: int = field(
        metadata=dict(ge=0, le=1 << 40, description="lines read from the start of the training file; 0 reads all")
    )
    test_lines: int = field(
        metadata=dict(ge=0, le=1 << 40, description="lines read from the start of the test file; 0 reads all")
    )
    shard_bytes: int = field(
        metadata=dict(ge=1 << 16, le=256 * MEBIBYTE, description="bytes of the input file that make one shard")
    )
    max_rejected_fraction: float = field(
        metadata=dict(
            ge=0.0, le=1.0, description="largest fraction of a file's lines that may be rejected before the run stops"
        )
    )
    min_rejected_lines: int = field(
        metadata=dict(ge=0, le=1 << 40, description="up to this many rejected lines of a file never stop the run")
    )


@dataclass(frozen=True)
class CleaningConfig:
    """How a text is cleaned, beyond what is always done (lower case, digits to 0, addresses to `<url>`)."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    html_breaks: bool = field(metadata=dict(description="replace each HTML line break, such as <br />, by a space"))


@dataclass(frozen=True)
class SplitConfig:
    """Which reviews train the model and which choose its best state."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    validation: Literal["train", "test"] = field(
        metadata=dict(
            description="train: hold out a random fraction of the training lines; "
            "test: the first half of the test lines, and only the second half is the test set"
        )
    )
    fraction: float = field(
        metadata=dict(ge=0.0, lt=1.0, description="fraction of the training lines held out when validation is train")
    )
    seed: int = field(metadata=dict(ge=0, lt=1 << 63, description="seed that draws the held-out training lines"))


@dataclass(frozen=True)
class VocabularyConfig:
    """Which tokens get an id of their own."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    min_count: int = field(
        metadata=dict(ge=1, le=1_000_000, description="drop words seen fewer times in the training text")
    )
    max_size: int = field(
        metadata=dict(
            ge=0,
            le=1 << 31,
            description="keep at most this many most frequent words, beside _PAD and _UNK; 0 keeps all",
        )
    )
    unknown: Literal["_UNK", "_PAD"] = field(
        metadata=dict(description="whose id a word outside the vocabulary gets: _UNK (1) or _PAD (0)")
    )
