"""Batch prediction: files of reviews in, Parquet out."""

from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from flows.flow_run import run_flow, run_stages
from sentiment_pipeline import layout
from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.paths import user_path
from sentiment_pipeline.settings import ExecutionConfig, preset
from sentiment_pipeline.stages.predict import STAGE, PredictionSettings, open_output_folder

__all__ = ["predict"]


@flow(log_prints=True, flow_run_name="predict into {output}")
def predict(
    files: Annotated[list[Path], Field(min_length=1)], output: Path, model: Path = Path("data", layout.MODEL)
) -> Any:
    """Score each review of some files; a file that has been scored by the same model is skipped.

    Args:
        files: one review a line, plain text or fastText lines, also .bz2.
        output: the folder for the answers: for each file a Parquet file with line, label and probability.
        model: the folder of a published model.
    """
    execution = ExecutionConfig(**preset("quick")["execution"])

    def open_run() -> AbstractContextManager[Run[PredictionSettings]]:
        settings = PredictionSettings(user_path(model), tuple(map(user_path, files)))
        return open_output_folder(user_path(output), settings)

    return run_flow(open_run, partial(run_stages, [STAGE], execution))
