"""SIGTERM and Ctrl-C, handled between two training steps instead of in the middle of one.

The training loop checks for a signal, saves its state, and then lets the signal do what it would have done.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from sentiment_pipeline.errors import PipelineError

__all__ = ["SIGNALS", "Check", "StopSignals", "Stopped"]

SIGNALS = (signal.SIGTERM, signal.SIGINT)

Check = Callable[[], None]  # called between pieces of long work; an exception that it raises ends the work


class Stopped(PipelineError):
    """A signal ended the work."""


class StopSignals:
    """A context in which a SIGTERM or SIGINT is remembered and not acted on.

    If the context ends with Stopped, the signal is raised again for the handlers from before. Python handles signals
    only in its main thread; in other threads the context does nothing.

    Attributes:
        received: the last signal, or None.
        on_signal: called at once with each signal.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.on_signal: Callable[[int], object] = lambda number: None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            self._handlers = {number: signal.signal(number, self._receive) for number in SIGNALS}
        return self

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        self.on_signal(number)

    def check(self) -> None:
        """Raise Stopped if a signal came."""
        if self.received is not None:
            raise Stopped(f"stopped by {signal.Signals(self.received).name}; run again to resume from here")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if kind is Stopped and self.received is not None:
            signal.raise_signal(self.received)
