from pathlib import Path

import pytest

from sentiment_pipeline.predict import Predictor


@pytest.fixture(scope="session")
def model(trained: Path) -> Path:
    """A model folder; not to be changed."""
    return trained / "model"


@pytest.fixture(scope="session")
def predictor(model: Path) -> Predictor:
    return Predictor(model)
