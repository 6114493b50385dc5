"""The address at which `make ui` serves, so that runs started in a terminal appear there.

This module does not import Prefect, whose settings `make ui` must set before.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

__all__ = ["announce", "is_healthy", "running_ui"]

_FILE = "api-url"  # in Prefect's home


@contextmanager
def announce(home: Path, api: str) -> Iterator[None]:
    """Let `running_ui` find the server at `api` for as long as the block lasts."""
    file = home / _FILE
    file.write_text(api)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def running_ui(home: Path) -> str | None:
    """The API of the `make ui` that runs with this home; None if there is none."""
    with suppress(OSError):
        api = (home / _FILE).read_text()
        if is_healthy(api):
            return api
    return None


def is_healthy(api: str) -> bool:
    """Whether a server answers at that address."""
    try:
        with urlopen(f"{api}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
