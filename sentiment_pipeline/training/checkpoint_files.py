"""Whether checkpoints on disk are intact; without torch, because `verify` only compares hashes."""

import json
from pathlib import Path
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.engine.manifest import fingerprint

__all__ = ["damaged_checkpoints", "discard_damaged_checkpoints", "read_description"]


def read_description(description: Path) -> dict[str, Any]:
    """The description of a checkpoint.

    Raises:
        OSError, ValueError, KeyError, AttributeError: it or the checkpoint is missing or does not have its hash.
    """
    described: dict[str, Any] = json.loads(description.read_bytes())
    if described.pop("seal") != fingerprint(described):
        raise ValueError("the seal of its description differs")
    if sha256(description.with_suffix(".pt")) != described["sha256"]:
        raise ValueError("its SHA-256 differs")
    return described


def damaged_checkpoints(folder: Path) -> dict[Path, str]:
    """All damaged checkpoints below a folder.

    Returns:
        For the description of each, one line that names the checkpoint and the damage.
    """
    found = {}
    for description in sorted(folder.rglob(layout.checkpoint_description(layout.ANY))):
        try:
            read_description(description)
        except Exception as error:  # json raises many types for a damaged file
            found[description] = f"{description.with_suffix('.pt')}: damaged or missing ({error})"
    return found


def discard_damaged_checkpoints(folder: Path) -> None:
    """Delete all damaged checkpoints below a folder; a run resumes from the one before, or needs none."""
    for description in damaged_checkpoints(folder):
        description.unlink()
        description.with_suffix(".pt").unlink(missing_ok=True)
