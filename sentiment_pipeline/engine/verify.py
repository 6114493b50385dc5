"""Check all files of a data folder against the manifests."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.engine.manifest import Manifest, read, recorded_steps
from sentiment_pipeline.engine.stage import Stage
from sentiment_pipeline.errors import PipelineError

__all__ = ["damage"]


def damage(data_dir: Path, stages: Sequence[Stage[Any]]) -> list[str]:
    """A line for each published file, manifest or checkpoint that is damaged or missing; reads all of them.

    Raises:
        PipelineError: the folder holds no file of these stages.
    """
    steps = recorded_steps(data_dir)
    if not steps and not any(True for stage in stages for _ in stage.files(data_dir)):
        raise PipelineError(f"{data_dir} holds no published files; run the pipeline first")
    found, manifests = list[str](), list[Manifest]()
    for step in steps:
        try:
            manifests += filter(None, [read(data_dir, step)])
        except PipelineError as error:
            found.append(str(error))
    with ThreadPoolExecutor() as threads:
        found += [line for lines in threads.map(lambda each: each.damage(data_dir), manifests) for line in lines]
    if len(manifests) == len(steps):  # otherwise the files of a damaged manifest would be reported, too
        found += _without_manifest(data_dir, stages, steps, manifests)
    return found + [line for stage in stages for line in stage.inspect(data_dir)]


def _without_manifest(
    data_dir: Path, stages: Sequence[Stage[Any]], steps: list[str], manifests: list[Manifest]
) -> Iterator[str]:
    """A line for each stage and each file whose manifest is missing."""
    begun = [any(step.split("/")[0] == stage.name for step in steps) for stage in stages]
    for number, stage in enumerate(stages):
        if any(begun[number:]) and not begun[number]:
            yield f"{layout.MANIFESTS}/{stage.name}: missing, though later stages are finished"
    known = {data_dir / name for manifest in manifests for name in manifest.outputs}
    for path in sorted(path for stage in stages for path in stage.files(data_dir)):
        if path not in known:
            yield f"{path.relative_to(data_dir)}: no manifest describes it"
