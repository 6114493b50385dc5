"""What a folder says of itself: its lineage, and of a data folder the quality of the data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import read_bytes
from sentiment_pipeline.errors import PipelineError

__all__ = ["Folder", "InputFile", "read_folder"]

_PARTS = ("inputs", "settings", "versions", "stages", "metrics")


@dataclass(frozen=True)
class InputFile:
    """A file of reviews: its name, and the SHA-256 of its content in hexadecimal."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Folder:
    """A data folder or a model folder.

    Attributes:
        path: of the folder.
        inputs: by source, its files in order.
        settings: by group, values by name.
        versions: of Python and packages.
        stages: the digest of each stage.
        test_reviews: the digest of the test reviews; empty if the lineage has none.
        metrics: by split, figures by name.
        quality: what the data gate found; None if there is no such file.
    """

    path: Path
    inputs: Mapping[str, tuple[InputFile, ...]]
    settings: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, str]
    stages: Mapping[str, str]
    test_reviews: str
    metrics: Mapping[str, Mapping[str, Any]]
    quality: Mapping[str, Any] | None


def read_folder(path: Path) -> Folder:
    """Read what a folder says of itself.

    Raises:
        PipelineError: it is neither a data folder with a published model nor a model folder, or a file is damaged.
    """
    if not path.is_dir():
        raise PipelineError(f"{path} is no folder; give a data folder or a model folder")
    lineage = _read(path / layout.LINEAGE)
    if lineage is None:
        raise PipelineError(
            f"{path} holds no {layout.LINEAGE}, so it is neither a data folder with a published model nor a model "
            "folder; finish the run there, or give another folder"
        )
    try:
        inputs = {source: tuple(map(_file, _listed(files))) for source, files in lineage["inputs"].items()}
        parts = {name: dict(lineage[name]) for name in _PARTS if name != "inputs"}
        _require_figures(parts["metrics"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PipelineError(
            f"{path / layout.LINEAGE} is damaged, or of another version ({error!r}); publish the model again"
        ) from error
    return Folder(
        path, inputs, test_reviews=lineage.get("test_reviews", ""), quality=_read(path / layout.QUALITY), **parts
    )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(read_bytes(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise PipelineError(f"{path} is damaged ({error}); run the pipeline there again") from error
    if not isinstance(values, dict):
        raise PipelineError(f"{path} is damaged (it is no object); run the pipeline there again")
    return values


def _listed(files: Any) -> list[Any]:
    """The files of a source; until version 0.2 there was one, and no list."""
    return files if isinstance(files, list) else [] if files is None else [files]


def _file(values: Mapping[str, Any]) -> InputFile:
    return InputFile(str(values["name"]), str(values["sha256"]))


def _require_figures(metrics: Mapping[str, Any]) -> None:
    """Raise KeyError, TypeError or ValueError unless there are accuracies and numbers of reviews."""
    for split in ("test", "validation"):
        accuracy, reviews = metrics[split]["accuracy"], metrics[split]["reviews"]
        if type(reviews) is not int or not (accuracy is None or (reviews > 0 and 0 <= accuracy <= 1)):
            raise ValueError(f"{split} has no accuracy of a number of reviews")
