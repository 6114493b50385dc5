"""The Python interface: what `import sentiment_pipeline as sp` offers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.console import progress_shown
from sentiment_pipeline.paths import StrPath
from sentiment_pipeline.predict import Predictor
from sentiment_pipeline.settings import load as load_settings
from sentiment_pipeline.stages.pipeline import STAGES, run_in_folder

__all__ = ["load", "run"]


def load(folder: StrPath) -> Predictor:
    """A trained model, ready to score texts; on the GPU if there is one.

    Args:
        folder: a model folder, as the pipeline publishes it, for example `data/model`; or one on the Hugging Face Hub,
            for example `hf://OWNER/NAME`.

    Raises:
        PipelineError: a file is missing or damaged, or the model was made with another version of NLTK.
    """
    return Predictor(folder)


def run(
    train: StrPath | Sequence[StrPath] | None = None,
    test: StrPath | Sequence[StrPath] | None = None,
    data_dir: StrPath | None = None,
    preset: str | None = None,
    config: StrPath | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Run all stages, as `sentiment-pipeline run` does; finished ones are skipped, unfinished ones continue.

    Args:
        train, test: labelled reviews: a file, a folder of files, a pattern such as `reviews/*.bz2`, or several of them.
        data_dir: the folder for everything that is made (default: `data`).
        preset: `tutorial`, `quick` or `full` (default: `full` with a GPU, else `quick`).
        config: a TOML file of settings over the preset.
        settings: settings over both, by group, for example `{"training": {"epochs": 3}}`.

    Returns:
        The metrics, as in `metrics.json`: `metrics["test"]["accuracy"]` is the test accuracy.

    Raises:
        SettingsError: a setting is wrong; names it.
        PipelineError: the run failed; says why, and what to do.
    """
    options = {"train": train, "test": test, "data_dir": data_dir, "preset": preset}
    chosen = load_settings(options, config, groups=settings)
    with progress_shown() as observer:
        run_in_folder(STAGES, chosen, observer)
    metrics: dict[str, Any] = json.loads((chosen.data_dir / layout.METRICS).read_text(encoding="utf-8"))
    return metrics
