"""The figures of a training run as they come: JSON lines always, TensorBoard beside them if it is installed.

Lines of steps that a killed run made after its last checkpoint are dropped when it is taken up, because the same
steps are made, and told, again.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from sentiment_pipeline.storage.files import explained, write_text

Report = Callable[[Mapping[str, float]], None]


class History:
    """Writes figures to `path`, to TensorBoard and to whoever listens; a context manager.

    Args:
        step: the step that the run goes on from; 0 begins a new file.
    """

    def __init__(self, path: Path, step: int, tensorboard: bool, report: Report) -> None:
        write_text(path, "".join(lines_up_to(path, step)))
        self.path, self.report = path, report
        self.file = path.open("a", encoding="utf-8", buffering=1)
        self.board = open_board(path.parent / "tensorboard", step) if tensorboard else None

    def write(self, figures: Mapping[str, float]) -> None:
        """Publish figures; `step` must be among them."""
        try:
            self.file.write(json.dumps(figures) + "\n")
        except OSError as error:
            raise explained(error, self.path, self.path) from error
        if self.board is not None:
            for name, value in figures.items():
                self.board.add_scalar(name, value, figures["step"])
        self.report(figures)

    def __enter__(self) -> "History":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.file.close()
        if self.board is not None:
            self.board.close()


def lines_up_to(path: Path, step: int) -> list[str]:
    """The whole lines of a history that tell of steps up to `step`."""
    if not path.exists() or not step:
        return []
    return [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            if 0 <= step_of(line) <= step]


def step_of(line: str) -> int:
    """The step that a line tells of; -1 if it is no such line."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return -1


def open_board(folder: Path, step: int) -> Any:
    """TensorBoard's writer, or None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter  # here, because it is optional and slow to import
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
