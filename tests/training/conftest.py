import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def sigterm_ignored() -> Iterator[None]:
    """SIGTERM, when it is raised again after training, does not end pytest."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGTERM, before)
