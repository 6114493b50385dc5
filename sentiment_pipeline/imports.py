"""Imports that take seconds."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause Python's garbage collector while torch is imported.

    torch makes so many objects that the collector walks through them again and again, and finds nothing to free: that
    takes a fifth of the time to the first answer.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
