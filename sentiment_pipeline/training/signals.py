"""SIGTERM and Ctrl-C, handled between two training steps instead of in the middle of one.

The training loop asks whether it should stop, saves its state, and then lets the signal do what it would have done.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from sentiment_pipeline.errors import PipelineError

__all__ = ["SIGNALS", "StopSignals", "Stopped"]

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(PipelineError):
    """A signal asked for an end."""


class StopSignals:
    """While it is entered, remembers a SIGTERM or SIGINT in `received` instead of acting on it.

    Python handles signals in its main thread alone; entered in another one, it does nothing.

    Attributes:
        act: called at once with each signal that comes.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.act: Callable[[int], object] = lambda number: None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            self._handlers = {number: signal.signal(number, self._receive) for number in SIGNALS}
        return self

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        self.act(number)

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
