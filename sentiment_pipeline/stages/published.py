"""The published model and the one before it: the folders `model/` and `model-before/`.

The manifest of `publish` describes both. A new model is written to a folder beside them, the folders are exchanged, and
then the manifest is written. So `model/` holds a whole model at every moment, and what a killed process has exchanged
is brought back to what the manifest says.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import exchange_folders, sha256, write_text
from sentiment_pipeline.engine.manifest import JSON, Manifest, fingerprint, read
from sentiment_pipeline.errors import PipelineError

__all__ = [
    "NAME",
    "exchange",
    "files_of",
    "is_intact",
    "next_model",
    "published_manifest",
    "restore",
    "was_demoted",
    "write_lineage",
]

NAME = "publish"
_FILES = (*layout.MODEL_FILES, layout.MODEL_CARD, layout.LINEAGE)
_IDENTITY = (layout.MODEL_CONFIG, layout.LINEAGE)  # the config has the hashes of the larger files


def files_of(folder: str) -> tuple[str, ...]:
    """The files of a model folder of the data folder, such as `model`."""
    return tuple(f"{folder}/{name}" for name in _FILES)


def published_manifest(data_dir: Path) -> Manifest | None:
    """The manifest of `publish`; None if it is missing or damaged."""
    try:
        return read(data_dir, NAME)
    except PipelineError:
        return None


def is_intact(data_dir: Path, published: Manifest, folder: str) -> bool:
    """Whether the manifest describes a model in the folder, and every byte of it is there."""
    outputs = {name: published.outputs.get(name) for name in files_of(folder)}
    return all(output is not None and not output.damage(data_dir / name) for name, output in outputs.items())


def was_demoted(published: Manifest, depends: Mapping[str, JSON]) -> bool:
    """Whether the model that `depends` describes was published, until `promote` put the one before it back."""
    return published.facts.get("demoted") == fingerprint(depends)


@contextmanager
def next_model(data_dir: Path, keeps_published: bool) -> Iterator[Path]:
    """Yield an empty folder for a new model; when the block succeeds, that is the published model.

    Args:
        data_dir: the data folder.
        keeps_published: whether the model that it replaces becomes the one before.

    What is not kept is left in the folder `model-next`, to be deleted as obsolete when the manifest is written.
    """
    restore(data_dir)  # what an attempt of this process that failed has left
    folder = data_dir / layout.MODEL_NEXT
    folder.mkdir()
    yield folder
    exchange(data_dir, layout.MODEL, layout.MODEL_NEXT)
    if keeps_published:
        exchange(data_dir, layout.MODEL_BEFORE, layout.MODEL_NEXT)


def exchange(data_dir: Path, first: str, second: str) -> None:
    """Exchange two model folders; files of the user's in the first stay there, under its name."""
    known = {*_FILES}
    for path in (data_dir / first).glob("*"):
        if path.name not in known:
            path.rename(data_dir / second / path.name)
    exchange_folders(data_dir / first, data_dir / second, data_dir / layout.MODEL_ASIDE)


def write_lineage(data_dir: Path) -> None:
    """Publish the lineage of the published model beside its folder, too."""
    write_text(data_dir / layout.LINEAGE, (data_dir / layout.MODEL / layout.LINEAGE).read_text(encoding="utf-8"))


def restore(data_dir: Path) -> None:
    """Bring the folders that a killed process has exchanged back to what the manifest says."""
    aside, left = data_dir / layout.MODEL_ASIDE, data_dir / layout.MODEL_NEXT
    if aside.is_dir():
        folders = (data_dir / name for name in (layout.MODEL, layout.MODEL_NEXT, layout.MODEL_BEFORE))
        aside.rename(next(folder for folder in folders if not folder.exists()))
    if published := published_manifest(data_dir):
        for name in (layout.MODEL, layout.MODEL_BEFORE):
            found = _folder_of(data_dir, published, name)
            if found and found != name:
                exchange(data_dir, name, found)
                write_lineage(data_dir)
    if left.is_symlink():  # a user had made the folder a link
        left.unlink()
    elif left.exists():
        shutil.rmtree(left)


def _folder_of(data_dir: Path, published: Manifest, name: str) -> str | None:
    """The folder that holds the model which the manifest describes in the folder `name`."""
    wanted = [published.outputs.get(f"{name}/{file}") for file in _IDENTITY]
    for folder in (name, layout.MODEL, layout.MODEL_BEFORE, layout.MODEL_NEXT):
        paths = [data_dir / folder / file for file in _IDENTITY]
        if all(
            output and path.is_file() and sha256(path) == output.sha256
            for output, path in zip(wanted, paths, strict=True)
        ):
            return folder
    return None
