"""Turn a path that a user gives, on a command line, in a file, a form or Python, into an absolute one.

No other code sees a relative path, a `~` or a URL, because libraries disagree on what these mean.
"""

import os
import re
from pathlib import Path

from sentiment_pipeline.errors import SettingsError

__all__ = ["StrPath", "user_path"]

StrPath = str | os.PathLike[str]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def user_path(given: StrPath) -> Path:
    """The absolute path that `given` means: `~` is the home folder; relative to the working folder otherwise.

    Raises:
        SettingsError: it is empty, a URL, contains a NUL character, or names an unknown user's home folder.

    >>> user_path("/data/run-10:30")
    PosixPath('/data/run-10:30')
    """
    text = os.fspath(given)
    if not text.strip():
        raise SettingsError("a path is empty; give the path of a file or folder (. is the current folder)")
    if "\0" in text:
        raise SettingsError("a path contains a NUL character; give a path without one")
    if _URL.match(text):
        raise SettingsError(f"{text} is a URL, and only local files are read; download it and give its path")
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{text}: there is no such home folder; give the full path") from error
    return Path(os.path.abspath(path))
