"""Where `make ui` serves, so that runs from a terminal are shown there; without Prefect, which it is asked before."""

from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

FILE = "api-url"  # a file in Prefect's home


def running_ui(home: Path) -> str | None:
    """The API of the `make ui` with this home, if one runs now."""
    with suppress(OSError):
        api = (home / FILE).read_text()
        if healthy(api):
            return api
    return None


def healthy(api: str) -> bool:
    """Whether a server answers at that address."""
    try:
        with urlopen(f"{api}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
