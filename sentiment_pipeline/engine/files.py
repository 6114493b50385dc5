"""Files appear under their final name whole or not at all.

A reader that finds a name finds all its bytes: they are written under a temporary name beside it, flushed to
the disk, then renamed, which POSIX makes atomic. What a killed writer leaves behind ends in `.tmp` and is
swept up by the next run (`remove_leftovers`), so nobody ever has to guess which of two files is the good one.
"""

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from sentiment_pipeline.errors import PipelineError

__all__ = ["as_pipeline_error", "contents", "known_sha256", "published", "remove_leftovers", "sha256", "write_text"]

_TEMPORARY = ".tmp"
_KNOWN: dict[tuple[int, ...], str] = {}  # see `known_sha256`
_LEFTOVER = re.compile(rf"\..+\.[0-9]+\{_TEMPORARY}")


@contextmanager
def published(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; when the block ends well, its file becomes `path`, durably.

    Creates the folder. An exception inside the block removes the temporary file and leaves `path` as it was.

    Raises:
        PipelineError: the disk is full, or the folder cannot be written to; names the path.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_TEMPORARY}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with open(temporary, "rb+") as file, ThreadPoolExecutor(1) as thread:
            flushed = thread.submit(os.fsync, file.fileno())
            known_sha256(temporary)  # which will be asked for, while the disk is waited for
            flushed.result()
        os.replace(temporary, path)
        _flush_folder(path.parent)
    except OSError as error:
        reason = as_pipeline_error(error, path, temporary)
        _remove(temporary)
        raise reason from error
    except BaseException:
        _remove(temporary)
        raise


def _remove(temporary: Path) -> None:
    """Delete a temporary file, whatever state its folder is in: the reason for giving up matters more."""
    with suppress(OSError):
        temporary.unlink()


def contents(path: Path) -> bytes:
    """The bytes of a regular file; a pipe, which would be waited for without end, is refused.

    Raises:
        OSError: the file cannot be read.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return path.read_bytes()


def write_text(path: Path, text: str) -> None:
    """Publish `text` as the UTF-8 file `path`."""
    with published(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _flush_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """The SHA-256 of the file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def known_sha256(path: Path) -> str:
    """`sha256`, computed once in this process as long as the file is not written again, whatever its name."""
    status = path.stat()
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if key not in _KNOWN:
        _KNOWN[key] = sha256(path)
    return _KNOWN[key]


def remove_leftovers(folder: Path, *below: str) -> None:
    """Delete what killed writers left in `folder` and anywhere below some folders in it, and no other file.

    Only for the one run that holds the folder's lock.
    """
    for path in chain(folder.glob(f".*{_TEMPORARY}"), *((folder / name).rglob(f".*{_TEMPORARY}") for name in below)):
        if _LEFTOVER.fullmatch(path.name):
            path.unlink(missing_ok=True)


def as_pipeline_error(error: OSError, path: Path, temporary: Path) -> Exception:
    """The same failure in words its user can act on, or `error` itself if it is none of theirs."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        written = temporary.stat().st_size if temporary.exists() else 0
        free = shutil.disk_usage(path.parent).free
        return PipelineError(
            f"no space to write {path}: it needs more than {written:,} bytes and {free:,} are free; "
            "free some space or choose another data folder, then run again"
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return PipelineError(
            f"cannot write {path}: {os.strerror(error.errno).lower()}; make the folder writable or choose another"
        )
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        return PipelineError(f"cannot write {path}: another file or folder is in its way; move that away")
    if error.filename and Path(error.filename) in (temporary, path, *path.parents):
        return PipelineError(f"cannot write {path}: {str(error.strerror).lower()}; choose another folder")
    return error
