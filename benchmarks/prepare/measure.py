"""Wall time and memory of a contender, in a process of its own."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True)
class Measured:
    """What a contender took.

    Attributes:
        seconds: wall time of the work itself; the workers that it starts count, its own process's start does not.
        anonymous: the most anonymous memory of all its processes together, in bytes.
        result: what it returned.
    """

    seconds: float
    anonymous: int
    result: Any


def measure(work: Callable[..., Any], *arguments: Any) -> Measured:
    """Run `work` in a new process and watch it and its children."""
    peak, ended = [0], threading.Event()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        future = pool.submit(timed, work, arguments)
        (process,) = pool._processes.values()
        watcher = threading.Thread(target=watch, args=(psutil.Process(process.pid), peak, ended))
        watcher.start()
        try:
            seconds, result = future.result()
        finally:
            ended.set()
            watcher.join()
    return Measured(seconds, peak[0], result)


def timed(work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work(*arguments)
    return time.perf_counter() - started, result


def watch(root: psutil.Process, peak: list[int], ended: threading.Event) -> None:
    """Keep the highest sum of the anonymous memory of a process and its children, looked at ten times a second."""
    while not ended.wait(0.1):
        processes = [root, *root.children(recursive=True)]
        peak[0] = max(peak[0], sum(anonymous_bytes(process.pid) for process in processes))


def anonymous_bytes(pid: int) -> int:
    """Anonymous memory of a process, without pages of mapped files; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:"))
