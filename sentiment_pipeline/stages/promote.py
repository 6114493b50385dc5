"""Promote: the model before becomes the published one again, and the published one the model before."""

from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine import manifest as manifests
from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.stage import open_folder
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.stages.pipeline import STAGES
from sentiment_pipeline.stages.published import (
    NAME,
    exchange,
    files_of,
    is_intact,
    published_manifest,
    write_lineage,
)

__all__ = ["promote"]

_WARNING = "the published model is the one before, since promote; promote again to publish that of these settings"


def promote(data_dir: Path) -> None:
    """Exchange the published model and the one before it.

    Later runs leave it so, until they have made another model. To promote twice is to change nothing. The folders are
    exchanged before the manifest is written; if the process is killed in between, both models are whole, and the next
    run or `promote` exchanges them back first.

    Args:
        data_dir: the data folder.

    Raises:
        PipelineError: there is no model before, or one of the two is damaged, or a run holds the folder.
    """
    _require_before(data_dir, published_manifest(data_dir))
    with open_folder(data_dir, STAGES):
        published = _require_before(data_dir, published_manifest(data_dir))
        for folder in (layout.MODEL, layout.MODEL_BEFORE):
            if not is_intact(data_dir, published, folder):
                raise PipelineError(f"{data_dir / folder} is damaged; see sentiment-pipeline verify")
        exchange(data_dir, layout.MODEL, layout.MODEL_BEFORE)
        write_lineage(data_dir)
        before = published.facts["before"]
        facts = {**published.facts, "before": {"depends": published.depends}, **_mark(published)}
        outputs = (*files_of(layout.MODEL), layout.LINEAGE, *files_of(layout.MODEL_BEFORE))
        manifests.record(data_dir, NAME, before["depends"], outputs, facts)


def _require_before(data_dir: Path, published: Manifest | None) -> Manifest:
    if published is None or "before" not in published.facts:
        raise PipelineError(f"{data_dir} holds no model before the published one; nothing was promoted")
    return published


def _mark(published: Manifest) -> dict[str, object]:
    """The facts by which later runs know that the published model was demoted; taken back by a second `promote`."""
    if published.facts.get("demoted"):
        return {"demoted": None, "warnings": []}
    return {"demoted": published.fingerprint, "warnings": [_WARNING]}
