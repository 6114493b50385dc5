"""From labelled reviews in two compressed files to a tested LSTM that scores new ones.

>>> import sentiment_pipeline as sp
>>> metrics = sp.run(train="train.ft.txt.bz2", test="test.ft.txt.bz2", preset="quick")  # doctest: +SKIP
>>> model = sp.load("data/model")                                                       # doctest: +SKIP
>>> model.predict(["not bad at all", "boring"])                                         # doctest: +SKIP
[Prediction(label='positive', probability=0.91), Prediction(label='negative', probability=0.04)]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sentiment_pipeline.imports import collector_paused

if TYPE_CHECKING:
    from sentiment_pipeline.api import load, run
    from sentiment_pipeline.errors import PipelineError, SettingsError
    from sentiment_pipeline.predict import Prediction, Predictor

__version__ = "0.2.0"
__all__ = ["PipelineError", "Prediction", "Predictor", "SettingsError", "__version__", "load", "run"]

# Imported when they are first used, because torch and Polars take seconds.
_MODULES = {
    "load": "api",
    "run": "api",
    "PipelineError": "errors",
    "SettingsError": "errors",
    "Prediction": "predict",
    "Predictor": "predict",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with collector_paused():
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
