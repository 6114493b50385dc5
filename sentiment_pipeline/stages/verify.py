"""Re-read everything a data folder publishes and compare it with the manifests."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.stages.pipeline import STAGES
from sentiment_pipeline.stages.train import CHECKPOINTS
from sentiment_pipeline.storage.manifest import FOLDER, Manifest, read
from sentiment_pipeline.training.checkpoint import damaged


def damage(data_dir: Path) -> list[str]:
    """One line for each published file, manifest or checkpoint that is damaged or missing.

    Raises:
        PipelineError: there is nothing to verify in the folder.
    """
    folder = data_dir / FOLDER
    steps = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.json"))
    if not steps and not any(True for stage in STAGES for _ in stage.files(data_dir)):
        raise PipelineError(f"{data_dir} holds no published files; run the pipeline first")
    found, manifests = list[str](), list[Manifest]()
    for step in steps:
        try:
            manifests.append(read(data_dir, step))  # type: ignore[arg-type]  # it is there
        except PipelineError as error:
            found.append(str(error))
    with ThreadPoolExecutor() as threads:
        found += [line for lines in threads.map(lambda each: each.damage(data_dir), manifests) for line in lines]
    if len(manifests) == len(steps):  # else files would be reported that a damaged manifest vouches for
        found += lost_manifests(data_dir, steps, manifests)
    return found + list(damaged(data_dir / CHECKPOINTS).values())


def lost_manifests(data_dir: Path, steps: list[str], manifests: list[Manifest]) -> Iterator[str]:
    """What only a manifest that is no longer there could vouch for."""
    begun = [any(step.split("/")[0] == stage.name for step in steps) for stage in STAGES]
    for number, stage in enumerate(STAGES):
        if any(begun[number:]) and not begun[number]:
            yield f"{FOLDER}/{stage.name}: missing, though later stages are finished"
    known = {data_dir / name for manifest in manifests for name in manifest.outputs}
    for path in sorted(path for stage in STAGES for path in stage.files(data_dir)):
        if path not in known:
            yield f"{path.relative_to(data_dir)}: no manifest tells what it must be"
