"""The settings of the stages that prepare data, one group for each stage.

Plain dataclasses, so that this folder needs no pydantic. The metadata of a field holds its limits and its description,
for pydantic, the command line and the form in the Prefect UI. A step depends on the groups that it uses and on no
others, so a changed value redoes exactly the stages that use it.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

__all__ = ["COUNTED", "FROZEN", "CleaningConfig", "IngestConfig", "SplitConfig", "VocabularyConfig"]

COUNTED, FROZEN = "counted", "frozen"  # where a vocabulary comes from, if not from a model folder

_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class IngestConfig:
    """Which lines are read, the size of the shards, and how many rejected lines stop the run."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    train_lines: int = field(
        metadata=dict(ge=0, le=1 << 40, description="Lines to read from the start of the training file; 0: all")
    )
    test_lines: int = field(
        metadata=dict(ge=0, le=1 << 40, description="Lines to read from the start of the test file; 0: all")
    )
    shard_bytes: int = field(
        metadata=dict(
            ge=1 << 16,
            le=256 * _MEBIBYTE,
            description="Bytes of an input file, as it is on disk, that become one shard",
        )
    )
    max_rejected_fraction: float = field(
        metadata=dict(ge=0.0, le=1.0, description="Stop the run if a larger fraction of a file's lines is rejected")
    )
    min_rejected_lines: int = field(
        metadata=dict(
            ge=0, le=1 << 40, description="Never stop the run because of this many rejected lines of a file or fewer"
        )
    )


@dataclass(frozen=True)
class CleaningConfig:
    """How a text is cleaned, beyond what is always done (lower case, digits to 0, addresses to `<url>`)."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    html_breaks: bool = field(metadata=dict(description="Replace each HTML line break, such as `<br />`, by a space"))


@dataclass(frozen=True)
class SplitConfig:
    """Which reviews are held out for validation."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    validation: Literal["train", "test"] = field(
        metadata=dict(
            description="Where the validation reviews come from: a random fraction of the training lines "
            "(`train`), or the first half of the test lines, so that only the second half is the test "
            "set (`test`)"
        )
    )
    fraction: float = field(
        metadata=dict(
            ge=0.0, lt=1.0, description="Fraction of the training lines that is held out, if `validation` is `train`"
        )
    )
    seed: int = field(metadata=dict(ge=0, lt=1 << 63, description="Seed for drawing the held-out training lines"))


@dataclass(frozen=True)
class VocabularyConfig:
    """Which words are in the vocabulary."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    source: str = field(
        metadata=dict(
            min_length=1,
            max_length=1000,
            description="Where it comes from: `counted` in the training reviews; `frozen`, the one that the data "
            "folder has, so that further reviews change no id; or the path of a model folder, whose vocabulary is used",
        )
    )
    min_count: int = field(
        metadata=dict(ge=1, le=1_000_000, description="Drop words that occur fewer times in the training text")
    )
    max_size: int = field(
        metadata=dict(
            ge=0,
            le=1 << 31,
            description="Keep at most this many of the most frequent words, besides `_PAD` and `_UNK`; 0: all",
        )
    )
    unknown: Literal["_UNK", "_PAD"] = field(
        metadata=dict(
            description="The token whose id a word outside the vocabulary gets: `_UNK` (id 1) or `_PAD` (id 0)"
        )
    )

    @property
    def is_counted(self) -> bool:
        """Whether it is counted in the training reviews."""
        return self.source == COUNTED
