"""The settings of the data gate: what is done about what it finds."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

__all__ = ["QualityConfig"]

Action = Literal["warn", "fail"]
ActionOrDrop = Literal["warn", "fail", "drop"]


@dataclass(frozen=True)
class QualityConfig:
    """What is done about duplicates, leakage and other faults of the data: warn, fail, or drop the reviews."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    leakage: ActionOrDrop = field(
        metadata=dict(
            description="What is done if test reviews are among the training reviews: `warn`, `fail`, or `drop` those "
            "training reviews"
        )
    )
    max_leakage: float = field(
        metadata=dict(ge=0.0, le=1.0, description="Fraction of the test reviews up to which that is no fault")
    )
    duplicates: ActionOrDrop = field(
        metadata=dict(
            description="What is done about duplicates: `warn`, `fail`, or `drop` all but the first review of a text"
        )
    )
    max_duplicates: float = field(
        metadata=dict(ge=0.0, le=1.0, description="Fraction of an input's reviews up to which they are no fault")
    )
    near: float = field(
        metadata=dict(
            gt=0.5,
            le=1.0,
            description="Fraction of the sequences of three words in either of two reviews that must be in both for "
            "near duplicates (Jaccard similarity)",
        )
    )
    faults: Action = field(metadata=dict(description="What is done about the faults below: `warn` or `fail`"))
    max_contradictory: float = field(
        metadata=dict(
            ge=0.0, le=1.0, description="Largest fraction of an input's reviews whose text comes with both labels"
        )
    )
    min_class: float = field(
        metadata=dict(ge=0.0, le=0.5, description="Smallest fraction of an input's reviews that have the rarer label")
    )
    max_short: float = field(
        metadata=dict(ge=0.0, le=1.0, description="Largest fraction of an input's reviews of fewer than three words")
    )
    max_unknown: float = field(
        metadata=dict(
            ge=0.0, le=1.0, description="Largest fraction of the test reviews' words that no training review has"
        )
    )
