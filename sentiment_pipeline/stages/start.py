"""Where training starts, if not from random weights: from those of a model that there is already."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.data.packed import first_reviews
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.engine.step import difference
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.models.folder_config import read_config
from sentiment_pipeline.paths import user_path
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import vocabulary

__all__ = ["PUBLISHED", "Start", "identity_of", "start_of"]

PUBLISHED = "published"  # the value of training.start_from for the model of the data folder itself


@dataclass(frozen=True)
class Start:
    """The model that training starts from.

    Attributes:
        weights: the file of its weights.
        old_reviews: number of training reviews of this folder, the first ones, that it was trained on; 0 if it was
            trained on others.
    """

    weights: Path
    old_reviews: int


def start_of(run: Run[Settings]) -> Start | None:
    """The model that `training.start_from` names; None for random weights.

    Raises:
        SettingsError: it has another vocabulary or other settings of the model.
        PipelineError: it is missing or damaged, or the folder is not prepared.
    """
    name = run.settings.training.start_from
    own = run.data_dir / layout.MODEL
    if not name or (name == PUBLISHED and not (own / layout.MODEL_CONFIG).exists()):
        return None
    folder = own if name == PUBLISHED else user_path(name)
    config, weights = read_config(folder / layout.MODEL_CONFIG), folder / layout.MODEL_WEIGHTS
    _refuse_other(run, folder, config)
    if not weights.is_file() or sha256(weights) != config["weights_sha256"]:
        raise PipelineError(f"{weights} is missing or damaged; give another training.start_from")
    before = config.get("trained_on", {"reviews": 0})
    is_first = first_reviews(run.data_dir / layout.packed("train"), before["reviews"]) == before
    return Start(weights, before["reviews"] if is_first else 0)


def identity_of(name: str, data_dir: Path) -> str:
    """What training depends on of the model that it starts from: the SHA-256 of its weights.

    Of the published model only that it is the published one: to publish what was trained must not make it stale.

    Raises:
        PipelineError: there is no such model folder.
    """
    if name == PUBLISHED or user_path(name) == data_dir / layout.MODEL:
        return PUBLISHED
    digest: str = read_config(user_path(name) / layout.MODEL_CONFIG)["weights_sha256"]
    return digest


def _refuse_other(run: Run[Settings], folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse a model whose weights would mean something else here."""
    words = run.manifest(vocabulary.NAME).outputs[layout.VOCABULARY].sha256
    if config.get("vocabulary_sha256") != words:
        raise SettingsError(
            f"training.start_from: {folder} has another vocabulary than {run.data_dir}; prepare with "
            f"vocabulary.source={folder}"
        )
    if changes := difference({"model": config.get("model", {})}, {"model": asdict(run.settings.model)}):
        raise SettingsError(f"training.start_from: {folder} has other settings ({changes}); give the same")
