"""Re-read everything a data folder publishes and compare it with the manifests."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.stages.train import CHECKPOINTS
from sentiment_pipeline.storage.manifest import FOLDER, read
from sentiment_pipeline.training.checkpoint import damaged


def damage(data_dir: Path) -> list[str]:
    """One line for each published file, manifest or checkpoint that is damaged or missing.

    Raises:
        PipelineError: there is nothing to verify in the folder.
    """
    folder = data_dir / FOLDER
    steps = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.json"))
    if not steps:
        raise PipelineError(f"{data_dir} holds no published files; run the pipeline first")
    with ThreadPoolExecutor() as threads:
        found = threads.map(lambda step: list(damage_of(data_dir, step)), steps)
        return [line for lines in found for line in lines] + list(damaged(data_dir / CHECKPOINTS).values())


def damage_of(data_dir: Path, step: str) -> Iterator[str]:
    try:
        manifest = read(data_dir, step)
    except PipelineError as error:
        yield str(error)
    else:
        if manifest is not None:
            yield from manifest.damage(data_dir)
