"""Atomic file writes: a file appears under its final name complete, or not at all.

It is written under a temporary name in the same folder, flushed to disk, then renamed, which POSIX makes atomic. The
next run deletes what a killed writer left under a temporary name (`remove_leftovers`).
"""

import ctypes
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

__all__ = [
    "as_pipeline_error",
    "cached_sha256",
    "exchange_folders",
    "published",
    "read_bytes",
    "remove_leftovers",
    "sha256",
    "write_text",
]

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of renameat2(2)
_TEMPORARY = ".tmp"
_LEFTOVER = re.compile(rf"\..+\.[0-9]+\{_TEMPORARY}")
_SHA256_CACHE: dict[tuple[int, ...], str] = {}


@contextmanager
def published(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; when the block succeeds, that file becomes `path`, durably.

    Creates the folder. An exception inside the block deletes the temporary file and leaves `path` unchanged.

    Raises:
        PipelineError: the disk is full, or the folder is not writable; names the path.
    """
    path = _followed(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_TEMPORARY}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with open(temporary, "rb+") as file, ThreadPoolExecutor(1) as thread:
            flushed = thread.submit(os.fsync, file.fileno())
            cached_sha256(temporary)  # its manifest needs it; hashing overlaps with the flush
            flushed.result()
        os.replace(temporary, path)
        _flush_folder(path.parent)
    except OSError as error:
        failure = as_pipeline_error(error, path, temporary)
        _remove(temporary)
        raise failure from error
    except BaseException:
        _remove(temporary)
        raise


def _followed(path: Path) -> Path:
    """The file that `path` leads to over links; it need not exist, and is a regular file if it does."""
    try:
        target = path.resolve() if path.is_symlink() else path
        is_other = target.exists() and not target.is_file() and not target.is_dir()
    except (OSError, RuntimeError) as error:  # a loop of links, or a folder that may not be searched
        raise PipelineError(f"cannot write {path}: {str(error).lower()}; give another path") from error
    if is_other:
        raise PipelineError(
            f"cannot write {path}: it is a device or pipe, and only regular files are written; give the path of a file"
        )
    return target


def _remove(temporary: Path) -> None:
    """Delete a temporary file if possible; the error that led here is the one to raise."""
    with suppress(OSError):
        temporary.unlink()


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file; anything else, such as a pipe, could block forever and is refused.

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


def exchange_folders(first: Path, second: Path, aside: Path) -> None:
    """Exchange the names of two folders of the same parent, durably: each is always there, the one or the other.

    A file system that cannot do that in one step, such as NFS, does it in three renames; a process killed between them
    leaves one of the folders under the name `aside`.

    Args:
        first: a folder; if it is missing, `second` only gets its name.
        second: a folder.
        aside: a name beside them that is free.

    Raises:
        PipelineError: a folder may not be renamed.
    """
    try:
        if not first.exists():
            second.rename(first)
        elif not _exchanged_at_once(first, second):
            for before, after in ((first, aside), (second, first), (aside, second)):
                before.rename(after)
        _flush_folder(first.parent)
    except OSError as error:
        raise as_pipeline_error(error, first, second) from error


def _exchanged_at_once(first: Path, second: Path) -> bool:
    """Whether the kernel has exchanged the two; False where it cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    arguments = (_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE)
    return rename is not None and rename(*arguments) == 0


def _flush_folder(folder: Path) -> None:
    """Make a rename in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """The SHA-256 of the file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached_sha256(path: Path) -> str:
    """`sha256`, cached in this process by inode, size and modification time; survives a rename."""
    status = path.stat()
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if key not in _SHA256_CACHE:
        _SHA256_CACHE[key] = sha256(path)
    return _SHA256_CACHE[key]


def remove_leftovers(folder: Path, *below: str) -> None:
    """Delete the temporary files of killed writers in `folder`, and no other file.

    Only the run that holds the folder's lock may call this.

    Args:
        folder: searched without its subfolders.
        below: subfolders of `folder` that are searched recursively.
    """
    for path in chain(folder.glob(f".*{_TEMPORARY}"), *((folder / name).rglob(f".*{_TEMPORARY}") for name in below)):
        if _LEFTOVER.fullmatch(path.name):
            path.unlink(missing_ok=True)


def as_pipeline_error(error: OSError, path: Path, temporary: Path) -> Exception:
    """The failure to write `path` as one line with a remedy; `error` itself if it is not one that a user can fix."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        written = temporary.stat().st_size if temporary.exists() else 0
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        if _no_inodes_left(folder):
            return PipelineError(
                f"no space to write {path}: the file system has no inodes left for another file; delete files there or "
                "choose another data folder, then run again"
            )
        free = shutil.disk_usage(folder).free
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


def _no_inodes_left(folder: Path) -> bool:
    status = os.statvfs(folder)
    return status.f_files > 0 and status.f_favail == 0
