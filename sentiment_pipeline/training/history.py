"""The figures of a training run as they come: JSON lines always, TensorBoard beside them if it is installed.

The lines are part of each checkpoint: a run that goes on begins with those, not with what a killed one left in the
file, because the same steps are made, and told, again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from sentiment_pipeline.storage.files import explained, write_text

Report = Callable[[Mapping[str, float]], None]


class History:
    """Writes figures to `path`, to TensorBoard and to whoever listens; a context manager.

    Args:
        lines: those of the run that goes on, as its checkpoint holds them.
        step: the step that it goes on from.
    """

    def __init__(self, path: Path, lines: Sequence[str], step: int, tensorboard: bool, report: Report) -> None:
        self.path, self.lines, self.report = path, list(lines), report
        write_text(path, "".join(self.lines))
        self.file = path.open("a", encoding="utf-8", buffering=1)
        self.board = open_board(path.parent / "tensorboard", step) if tensorboard else None

    def write(self, figures: Mapping[str, float]) -> None:
        """Publish figures; `step` must be among them."""
        self.lines.append(json.dumps(figures) + "\n")
        try:
            self.file.write(self.lines[-1])
            if self.board is not None:
                for name, value in figures.items():
                    self.board.add_scalar(name, value, figures["step"])
        except OSError as error:  # TensorBoard's writer passes on that of its thread
            raise explained(error, self.path, self.path) from error
        self.report(figures)

    def __enter__(self) -> "History":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.file.close()
        if self.board is not None:
            with suppress(OSError):  # its figures are in the file too
                self.board.close()


def open_board(folder: Path, step: int) -> Any:
    """TensorBoard's writer, or None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter  # here, because it is optional and slow to import
    except ImportError:
        return None
    try:
        return SummaryWriter(str(folder), purge_step=step + 1)
    except OSError as error:
        raise explained(error, folder, folder) from error
