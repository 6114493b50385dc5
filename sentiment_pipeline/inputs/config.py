"""How the files of reviews are to be understood, where their content does not say it for certain."""

from dataclasses import dataclass, field
from typing import ClassVar

__all__ = ["InputConfig"]


@dataclass(frozen=True)
class InputConfig:
    """Columns and labels of the input files."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    text: str = field(
        metadata=dict(
            max_length=1000,
            description="Column of the text in a table; empty: `text` or `content`, with `title` before it",
        )
    )
    label: str = field(metadata=dict(max_length=1000, description="Column of the label in a table; empty: `label`"))
    labels: str = field(
        metadata=dict(
            max_length=1000,
            description="Negative and positive labels, as NEGATIVE/POSITIVE or NEGATIVE/DROPPED/POSITIVE, for example "
            "0/1 or 1,2/3/4,5; empty: what the file leaves no doubt about",
        )
    )
