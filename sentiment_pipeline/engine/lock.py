"""At most one run at a time in a data folder.

The kernel releases its lock (`flock`) when the holder dies, however it dies, so there are no stale locks. The file's
content names the holder, for the error message of a second run.
"""

import fcntl
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import as_pipeline_error
from sentiment_pipeline.errors import PipelineError

__all__ = ["locked", "was_locked"]


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Lock `data_dir` for one run; creates the folder.

    Raises:
        PipelineError: another run holds the lock (names that run), or the folder is not writable.
    """
    path = data_dir / layout.LOCK
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise as_pipeline_error(error, path, path) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 4096, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise PipelineError(f"{data_dir} is in use by another run: {holder}; wait for it or stop it") from error
    try:
        _write_holder(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def was_locked(data_dir: Path) -> bool:
    """Whether a run has held the folder before, so that the files in it are those of runs."""
    try:
        holder = json.loads((data_dir / layout.LOCK).read_bytes() or b'{"process": null}')
        return isinstance(holder, dict) and "process" in holder
    except (OSError, ValueError):
        return False


def _write_holder(descriptor: int, path: Path) -> None:
    """Replace the content of the lock file by a description of this process."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _holder_line().encode(), 0)
    except OSError as error:
        raise as_pipeline_error(error, path, path) from error


def _holder_line() -> str:
    """Process, host, command and start time as one line of JSON."""
    return json.dumps(
        {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200],
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )
