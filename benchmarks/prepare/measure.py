"""Wall-clock time and memory of a function, in a process of its own."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import psutil

__all__ = ["Measured", "measure"]

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Measured(Generic[_Result]):
    """The cost of a call.

    Attributes:
        seconds: wall-clock time of the call, including the start of processes that it starts, but not of its own.
        anonymous: the most anonymous memory of all its processes together, in bytes.
        result: what it returned.
    """

    seconds: float
    anonymous: int
    result: _Result


def measure(work: Callable[..., _Result], *arguments: object) -> Measured[_Result]:
    """Call a function in a new process, and watch the memory of it and its children.

    Args:
        work: a module-level function; the arguments and the result must be picklable.
        arguments: of the call.
    """
    peak, ended = [0], threading.Event()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        future = pool.submit(_timed, work, arguments)
        (process,) = pool._processes.values()
        watcher = threading.Thread(target=_watch, args=(psutil.Process(process.pid), peak, ended))
        watcher.start()
        try:
            seconds, result = future.result()
        finally:
            ended.set()
            watcher.join()
    return Measured(seconds, peak[0], result)


def _timed(work: Callable[..., _Result], arguments: tuple[object, ...]) -> tuple[float, _Result]:
    started = time.perf_counter()
    result = work(*arguments)
    return time.perf_counter() - started, result


def _watch(root: psutil.Process, peak: list[int], ended: threading.Event) -> None:
    """Keep the highest sum of the anonymous memory of a process and its children, sampled ten times a second."""
    while not ended.wait(0.1):
        processes = [root, *root.children(recursive=True)]
        peak[0] = max(peak[0], sum(_anonymous_bytes(process.pid) for process in processes))


def _anonymous_bytes(pid: int) -> int:
    """Anonymous memory of a process, without pages of mapped files; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:"))
