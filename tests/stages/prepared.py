"""Runs the prepare stages in this process, for the tests of what they publish."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sentiment_pipeline import settings
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import Step, no_progress, perform, step_state
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages.pipeline import PREPARE


def make_run(
    train: Path | Sequence[Path] | None,
    test: Path | Sequence[Path] | None,
    data_dir: Path,
    preset: str = "tutorial",
    shard_bytes: int = 0,
    **groups: Any,
) -> Run[Settings]:
    """A run with a preset's settings; `vocabulary={"min_count": 5}` changes some, and shards may be of any size."""
    made = settings.load({"train": train, "test": test, "data_dir": data_dir, "preset": preset, **groups})
    if shard_bytes:
        made = replace(made, ingest=replace(made.ingest, shard_bytes=shard_bytes))
    return Run(data_dir, made)


def prepare(
    run: Run[Settings], stages: Sequence[Stage[Settings]] = PREPARE, order: Callable[[list[Step]], Any] = list
) -> list[str]:
    """Do the steps that are not finished, in the given order of those that are independent; their names."""
    done = []
    for stage in stages:
        for steps in stage.plan(run):
            for step in order([step for step in steps if not step_state(run.data_dir, step).finished]):
                perform(step, run.data_dir, no_progress)
                done.append(step.name)
    return done


def shards(data_dir: Path, split: str) -> tuple[list[int], list[str], list[list[int]]]:
    """Labels, texts and token ids of a split, over its shards in the order of their names."""
    rows = [
        row
        for path in sorted((data_dir / "shards" / split).glob("part-*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    return [row["label"] for row in rows], [row["text"] for row in rows], [row["token_ids"] for row in rows]
