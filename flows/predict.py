"""Batch prediction: files of reviews in, Parquet out."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from flows.running import run_flow, run_stages
from sentiment_pipeline.settings import ExecutionConfig, preset
from sentiment_pipeline.stages.predict import STAGE, Prediction, opened


@flow(log_prints=True, flow_run_name="predict into {output}")
def predict(files: Annotated[list[Path], Field(min_length=1)], output: Path, model: Path = Path("data/model")) -> Any:
    """Score each review of some files; a file that has been scored by the same model is skipped.

    Args:
        files: one review a line, plain text or fastText lines, also .bz2.
        output: the folder for the answers: for each file a Parquet file with line, label and probability.
        model: the folder of a published model.
    """
    execution = ExecutionConfig(**preset("quick")["execution"])
    return run_flow(lambda: opened(output, Prediction(model, tuple(files), execution)), partial(run_stages, [STAGE]))
