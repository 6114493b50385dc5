"""The command in processes of its own, with a fault in them.

They are forked from one process that has imported everything (multiprocessing's fork server), because the faults are
many and the imports take seconds. A fault is a function that the new process calls before the command begins: it sets
a limit, gives up a right, or arranges the process's own death.
"""

import faulthandler
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

PATIENCE = 300  # seconds after which a process counts as hanging; what it does takes one or two
REPETITIONS = int(os.environ.get("FAULT_REPETITIONS", "2"))
SEED = os.environ.get("FAULT_SEED", "0")
NOT_COMPARED = ("manifests", ".lock", "settings.json")  # hold times, process numbers and paths
IMPORTED = [
    "sentiment_pipeline.cli",
    "sentiment_pipeline.progress",
    "sentiment_pipeline.predict",
    "sentiment_pipeline.engine.executor",
    "sentiment_pipeline.stages.pipeline",
    "sentiment_pipeline.report.page",
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
        """The stages in which there was something to do."""
        return {line.partition(":")[0] for line in self.stderr.splitlines() if " done in " in line}


class Running:
    """A command that has been started; leads a process group of its own. On leaving the context it is killed."""

    def __init__(self, arguments: list[str], fault: Fault | None) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        self.folder = Path(tempfile.mkdtemp())
        for name in ("stdout", "stderr"):
            (self.folder / name).touch()
        self.process = context.Process(target=command, args=(arguments, fault, self.folder))
        self.process.start()

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it may have ended before
            os.kill(self.process.pid or 0, number)

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.join()
        shutil.rmtree(self.folder)

    def wait(self) -> Ended:
        self.process.join(PATIENCE)
        stdout, stderr = ((self.folder / name).read_text() for name in ("stdout", "stderr"))
        assert self.process.exitcode is not None, f"still running after {PATIENCE} s\n{stderr}"
        return Ended(self.process.exitcode, stdout, stderr)


def start(*arguments: object, fault: Fault | None = None) -> Running:
    return Running([str(each) for each in arguments], fault)


def run(*arguments: object, fault: Fault | None = None) -> Ended:
    with start(*arguments, fault=fault) as running:
        return running.wait()


def command(arguments: list[str], fault: Fault | None, folder: Path) -> None:
    """What the new process does."""
    from sentiment_pipeline.cli import main

    os.setsid()
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY), number)
    faulthandler.dump_traceback_later(PATIENCE - 10)  # says where it hangs
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the suite itself runs in the background
    sys.argv = ["sentiment-pipeline", *arguments]
    if fault:
        fault()
    main()


def draw(*names: object) -> random.Random:
    """Random numbers of a test's own; the same in every run of the suite, others with another FAULT_SEED."""
    return random.Random(f"{SEED} {names}")


def contents(data_dir: Path) -> dict[str, str]:
    """The hash of every file whose bytes are a function of the inputs and settings."""
    return {name: sha256(path.read_bytes()).hexdigest() for name, path in files(data_dir)}


def stamps(data_dir: Path) -> dict[str, tuple[int, int]]:
    """The inode and modification time of every published file and manifest: they tell whether it was written again."""
    return {
        path.relative_to(data_dir).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in data_dir.rglob("*")
        if path.is_file() and path.name not in NOT_COMPARED
    }


def files(data_dir: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(data_dir.rglob("*")):
        relative = path.relative_to(data_dir)
        if path.is_file() and relative.parts[0] not in NOT_COMPARED:
            yield relative.as_posix(), path
