"""Copies of a small folder in which everything is finished."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.settings import Settings


@pytest.fixture
def finished(trained: Path, copy: Callable[[Path], Path]) -> Path:
    """A folder in which everything is finished; may be changed."""
    return copy(trained)


def run_of(settings: Settings) -> Run[Settings]:
    return Run(settings.data_dir, settings)
