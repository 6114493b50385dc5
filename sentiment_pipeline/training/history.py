"""The history of a training run: its figures as JSON lines, and for TensorBoard if it is installed.

The lines are part of each checkpoint. A resumed run begins with them and not with the lines in the file, because it
repeats the training steps after the checkpoint.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import as_pipeline_error, write_text

__all__ = ["FiguresCallback", "History"]

FiguresCallback = Callable[[Mapping[str, float]], None]  # called with one line of figures: values by name


class History:
    """Writes figures to a file and for TensorBoard, and passes them to a callback; a context manager.

    Args:
        path: the file of JSON lines; replaced.
        lines: the lines in the checkpoint that the run resumes from.
        step: the training step that it resumes from.
        tensorboard: whether to write for TensorBoard, if it is installed; in a folder beside `path`.
        on_figures: called with each line of figures.

    Attributes:
        lines: all lines so far.

    Raises:
        PipelineError: the disk is full, or the folder is not writable.
    """

    def __init__(
        self, path: Path, lines: Sequence[str], step: int, tensorboard: bool, on_figures: FiguresCallback
    ) -> None:
        self.path, self.lines = path, list(lines)
        self._on_figures = on_figures
        write_text(path, "".join(self.lines))
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._board = _open_board(path.parent / layout.TENSORBOARD, step) if tensorboard else None

    def write(self, figures: Mapping[str, float]) -> None:
        """Write one line.

        Args:
            figures: values by name, among them `step`.

        Raises:
            PipelineError: the disk is full, or the file is not writable.
        """
        self.lines.append(json.dumps(figures) + "\n")
        try:
            self._file.write(self.lines[-1])
            if self._board is not None:
                for name, value in figures.items():
                    self._board.add_scalar(name, value, figures["step"])
        except OSError as error:  # TensorBoard's writer raises those of its thread here
            raise as_pipeline_error(error, self.path, self.path) from error
        self._on_figures(figures)

    def __enter__(self) -> "History":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
        if self._board is not None:
            with suppress(OSError):  # the same figures are in the file
                self._board.close()


def _open_board(folder: Path, step: int) -> Any:
    """TensorBoard's writer, or None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter  # here, because it is optional and slow to import
    except ImportError:
        return None
    try:
        return SummaryWriter(str(folder), purge_step=step + 1)
    except OSError as error:
        raise as_pipeline_error(error, folder, folder) from error
