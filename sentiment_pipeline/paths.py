"""Where a path that a user gives, on a command line, in a file, a form or Python, becomes an absolute one.

Nothing after this sees a relative path, a `~` or a URL: libraries disagree on what these mean.
"""

import os
import re
from pathlib import Path

from sentiment_pipeline.errors import SettingsError

__all__ = ["user_path"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def user_path(given: str | os.PathLike[str]) -> Path:
    """The absolute path that `given` means: `~` is the home folder, what is relative lies in the working folder.

    Raises:
        SettingsError: it is empty, a URL, holds a NUL character, or names an unknown user's home folder.

    >>> user_path("/data/run-10:30")
    PosixPath('/data/run-10:30')
    """
    text = os.fspath(given)
    if not text.strip():
        raise SettingsError("a path is empty; give the path of a file or folder (. is the current folder)")
    if "\0" in text:
        raise SettingsError("a path holds a NUL character; give a path without one")
    if _URL.match(text):
        raise SettingsError(f"{text} is a URL, and only local files are read; download it and give its path")
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{text}: there is no such home folder; give the whole path") from error
    return Path(os.path.abspath(path))
