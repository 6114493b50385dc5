"""Checkpoints: the whole state of a training run on disk, so that a killed run resumes as if nothing had happened.

A checkpoint is `step-00001000.pt` and, published after it, its description `step-00001000.json` with its hash and the
identity of its run. A checkpoint counts only once it has a description, so a kill never leaves an incomplete one that
counts. If the bytes of a checkpoint do not have the recorded hash, it is skipped, and the one before it is used.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import cached_sha256, published, remove_leftovers, write_text
from sentiment_pipeline.engine.manifest import fingerprint
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.training.checkpoint_files import read_description

__all__ = ["Checkpoints"]

_KEPT = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run.

    Attributes:
        folder: the folder of its own that they are in.
        identity: fingerprint, settings and sizes of the run, by name; a checkpoint with others belongs to another run.
    """

    folder: Path
    identity: Mapping[str, Any]

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Publish a checkpoint, and delete all but the last two.

        Args:
            step: number of training steps so far.
            state: tensors, numbers and strings in dicts and lists; no other objects, because they could not be loaded.

        Raises:
            PipelineError: the disk is full, or the folder is not writable.
        """
        path = self.folder / layout.checkpoint(step)
        with published(path) as temporary, temporary.open("wb") as file:
            try:
                torch.save(state, file)
            except RuntimeError as error:  # raised on closing the archive, it hides that the disk is full
                raise error.__context__ or error from None
        described = {"step": step, "sha256": cached_sha256(path), "identity": self.identity}
        sealed = {**described, "seal": fingerprint(described)}
        write_text(path.with_suffix(".json"), json.dumps(sealed, indent=1) + "\n")
        self._prune()

    def _prune(self) -> None:
        """Delete old checkpoints, each description first, and checkpoints without one, which kills left behind."""
        for description in self._descriptions()[_KEPT:]:
            description.unlink()
        for path in self.folder.glob(layout.checkpoint(layout.ANY)):
            if not path.with_suffix(".json").exists():
                path.unlink()

    def latest(self) -> dict[str, Any] | None:
        """The state of the newest checkpoint that is not damaged, on the CPU; None if there is none.

        Raises:
            PipelineError: the checkpoint belongs to another run; names the differences.
        """
        remove_leftovers(self.folder)
        return next(self._states(), None)

    def _states(self) -> Iterator[dict[str, Any]]:
        for path in self._descriptions():
            try:
                yield self._read(path)
            except PipelineError:
                raise
            except Exception as error:  # json and torch raise many types for a damaged file
                log.warning("checkpoint %s is damaged (%s); falling back to the one before it", path.stem, error)

    def _read(self, description: Path) -> dict[str, Any]:
        self._require_same_run(description, read_description(description)["identity"])
        state: dict[str, Any] = torch.load(description.with_suffix(".pt"), map_location="cpu", weights_only=True)
        return state

    @contextmanager
    def resuming(self) -> Iterator[None]:
        """A context for resuming from a state; a state that this program did not save is an error of one line.

        Raises:
            PipelineError: the block failed because of the state.
        """
        try:
            yield
        except torch.OutOfMemoryError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise PipelineError(
                f"the newest checkpoint in {self.folder} was not saved by this program ({reason}); "
                "delete that folder to train from the start"
            ) from error

    def _require_same_run(self, description: Path, found: Mapping[str, Any]) -> None:
        changes = [
            f"{name} is {found.get(name)!r} there, {self.identity.get(name)!r} here"
            for name in sorted({*found, *self.identity})
            if found.get(name) != self.identity.get(name)
        ]
        if changes:
            raise PipelineError(
                f"checkpoint {description.with_suffix('.pt')} belongs to another run "
                f"({'; '.join(changes)}); delete {self.folder} to train from the start"
            )

    def _descriptions(self) -> list[Path]:
        """The newest first."""
        return sorted(
            self.folder.glob(layout.checkpoint_description(layout.ANY)),
            key=lambda path: (len(path.name), path.name),
            reverse=True,
        )
