"""Drawing from an iterator in a thread, ahead of what is asked for."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

__all__ = ["draw_ahead"]

_Item = TypeVar("_Item")
_PATIENCE = 2.0  # seconds; work on an item takes less, and what takes longer waits for input


def draw_ahead(items: Iterable[_Item]) -> Iterator[_Item]:
    """The same items, while a thread draws the next two; each is given as soon as it is there.

    An exception of `items` is raised after the items before it. A consumer that ends early is not kept waiting for
    input that may never come: the thread is left to end with the process.

    >>> list(draw_ahead(range(3)))
    [0, 1, 2]
    """
    waiting, is_over = Queue[tuple[_Item] | BaseException | None](maxsize=1), Event()

    def draw() -> None:
        try:
            for item in items:
                waiting.put((item,))
                if is_over.is_set():
                    return
            waiting.put(None)
        except BaseException as error:  # whatever it is, it belongs to the consumer
            waiting.put(error)

    thread = Thread(target=draw, daemon=True)
    thread.start()
    try:
        while (found := waiting.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found[0]
    finally:
        is_over.set()
        with suppress(Empty):
            waiting.get_nowait()  # so that the thread can go on, to its end
        thread.join(_PATIENCE)
