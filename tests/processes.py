"""The command in processes of its own, with a fault in them.

They are forked from one process that has imported everything (multiprocessing's fork server), because the faults are
many and the imports take seconds. A fault is a function that the new process calls before the command begins: it sets
a limit, gives up a right, or arranges the process's own death.
"""

import ctypes
import faulthandler
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.folders import NOT_COMPARED, files_in, stages_done

TIMEOUT = 300  # seconds after which a process counts as hanging; most take one or two
REPETITIONS = int(os.environ.get("FAULT_REPETITIONS", "2"))
SEED = os.environ.get("FAULT_SEED", "0")
MEBIBYTE = 1 << 20
IMPORTED = [
    "pyarrow.dataset",
    "sentiment_pipeline.cli",
    "sentiment_pipeline.predict",
    "sentiment_pipeline.progress",
    "sentiment_pipeline.report.page",
    "sentiment_pipeline.stages.pipeline",
    "tests.training.examples",
    "torch._dynamo",  # torch imports it, for two seconds, when the first optimizer is made
]

Fault = Callable[[], object]


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, or the signal that killed it as a negative number, and what it wrote."""

    code: int
    stdout: str
    stderr: str

    @property
    def done(self) -> set[str]:
        """The stages that had something to do."""
        return stages_done(self.stderr.splitlines())


class Running:
    """A process that calls a function; it is killed on leaving the context.

    Args:
        work: picklable.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        self._folder = Path(tempfile.mkdtemp())
        for name in ("stdout", "stderr"):
            (self._folder / name).touch()
        self._process = context.Process(target=_work_alone, args=(work, self._folder))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()  # not its workers, which must end on their own
        self._process.join()
        shutil.rmtree(self._folder)

    def wait(self) -> Ended:
        """Wait until the process has ended; after `TIMEOUT` seconds the test fails."""
        self._process.join(TIMEOUT)
        stdout, stderr = ((self._folder / name).read_text() for name in ("stdout", "stderr"))
        assert self._process.exitcode is not None, f"still running after {TIMEOUT} s\n{stderr}"
        return Ended(self._process.exitcode, stdout, stderr)


def start(*arguments: object, fault: Fault | None = None) -> Running:
    """Start the command with these arguments."""
    return Running(partial(_command, [str(each) for each in arguments], fault))


def run(*arguments: object, fault: Fault | None = None) -> Ended:
    """Run the command with these arguments to its end."""
    with start(*arguments, fault=fault) as running:
        return running.wait()


def _command(arguments: list[str], fault: Fault | None) -> None:
    from sentiment_pipeline.cli import main

    sys.argv = ["sentiment-pipeline", *arguments]
    if fault:
        fault()
    main()


def _work_alone(work: Callable[[], object], folder: Path) -> None:
    """What a new process does: its output goes to files, and it is as if started alone from a terminal."""
    os.setsid()
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY), number)
    faulthandler.enable()
    faulthandler.dump_traceback_later(TIMEOUT - 10)  # shows where it hangs
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the suite runs in the background
    work()


def obey_permissions() -> None:
    """A fault: give up root's right to read and write anywhere: all of its capabilities, see capset(2)."""
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capset(header, none) == 0


def limit_memory(headroom: int) -> None:
    """A fault: allow this process so many bytes of memory beyond what it has; mapped files do not count."""
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    resource.setrlimit(resource.RLIMIT_DATA, (pages * resource.getpagesize() + headroom, resource.RLIM_INFINITY))


def draw(*names: object) -> random.Random:
    """Random numbers for one test, the same in every run of the suite; another FAULT_SEED gives others."""
    return random.Random(f"{SEED} {names}")


def stamps(data_dir: Path) -> dict[str, tuple[int, int]]:
    """The inode and modification time of each published file and manifest: they tell if it was written again."""
    return {
        name: (path.stat().st_ino, path.stat().st_mtime_ns)
        for name, path in files_in(data_dir)
        if path.name not in NOT_COMPARED
    }
