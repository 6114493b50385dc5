"""The settings of publishing."""

from dataclasses import dataclass, field
from typing import ClassVar

__all__ = ["EVERY_MODEL", "PublishConfig"]

EVERY_MODEL = 1.0  # the margin that no accuracy can miss


@dataclass(frozen=True)
class PublishConfig:
    """When a new model replaces the published one; a change never makes finished work stale."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    margin: float = field(
        metadata=dict(
            ge=0.0,
            le=EVERY_MODEL,
            description="How far below the published model's the accuracy of a new one may be, on the same test "
            "reviews, to replace it; 0.005: half a percentage point; 1: every model is published",
        )
    )
