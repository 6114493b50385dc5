"""Texts that arrive together are handled together, by one thread, in the order in which they came."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Batcher", "QueueFull"]

_Answer = TypeVar("_Answer")


class QueueFull(Exception):
    """More texts wait than may; to be tried again later."""


class _Job(NamedTuple, Generic[_Answer]):
    """The texts of a request, and the promise of their answers."""

    texts: Sequence[str]
    future: "Future[list[_Answer]]"


class Batcher(Generic[_Answer]):
    """A queue of requests, and the thread that answers them.

    While the thread is busy, requests collect; it takes as many of them at once as fit into a batch. So there is no
    delay in which to wait for others: a request that is alone is begun at once.

    Args:
        answer: from texts to an answer for each; called by the one thread.
        batch: texts in a call of `answer` at most; more if one request alone has more.
        waiting: texts in the queue at most.
        name: of the thread.

    Attributes:
        waiting: texts that wait.
    """

    def __init__(self, answer: Callable[[list[str]], Sequence[_Answer]], batch: int, waiting: int, name: str) -> None:
        self._answer, self._batch, self._most_waiting = answer, batch, waiting
        self._queue: deque[_Job[_Answer]] = deque()
        self.waiting, self._closed = 0, False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, texts: Sequence[str]) -> "Future[list[_Answer]]":
        """Queue the texts of a request; the future has an answer for each. Cancelled in time, it costs nothing.

        Raises:
            QueueFull: more texts would wait than may.
        """
        job = _Job(texts, Future[list[_Answer]]())
        with self._changed:
            if self._closed or self.waiting + len(texts) > self._most_waiting:
                raise QueueFull
            self._queue.append(job)
            self.waiting += len(texts)
            self._changed.notify()
        return job.future

    def close(self) -> None:
        """Answer what is queued, take nothing more, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while jobs := self._take():
            self._handle([job for job in jobs if job.future.set_running_or_notify_cancel()])

    def _take(self) -> list[_Job[_Answer]]:
        """The next jobs, as many as fit into a batch; none when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            jobs, size = list[_Job[_Answer]](), 0
            while self._queue and (not jobs or size + len(self._queue[0].texts) <= self._batch):
                jobs.append(self._queue.popleft())
                size += len(jobs[-1].texts)
            self.waiting -= size
            return jobs

    def _handle(self, jobs: Sequence[_Job[_Answer]]) -> None:
        try:
            answers = iter(self._answer([text for job in jobs for text in job.texts]))
        except Exception as error:
            if len(jobs) == 1:
                jobs[0].future.set_exception(error)
            else:
                for job in jobs:  # what one of them brought does not fail the others
                    self._handle([job])
        else:
            for job in jobs:
                job.future.set_result([next(answers) for _ in job.texts])
