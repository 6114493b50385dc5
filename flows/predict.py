"""Batch prediction: files of reviews in, Parquet files out."""

from pathlib import Path
from typing import Annotated

from prefect import flow
from prefect.states import Completed, State
from pydantic import Field

from flows.flow_run import final_state, run_stages
from sentiment_pipeline import layout
from sentiment_pipeline.formatting import counted
from sentiment_pipeline.paths import user_path
from sentiment_pipeline.settings import ExecutionConfig, preset
from sentiment_pipeline.stages.predict import STAGE, PredictionSettings, open_output_folder, scored_reviews

__all__ = ["predict"]


@flow(log_prints=True, flow_run_name="predict into {output}")
@final_state
def predict(
    files: Annotated[list[Path], Field(min_length=1)], output: Path, model: Path = Path("data", layout.MODEL)
) -> State:
    """Score each review of some files. A file that the same model has scored before is skipped.

    Args:
        files: Reviews, one a line or row: plain text, fastText lines, CSV, TSV or JSON lines, also compressed; Parquet
            or Arrow.
        output: Folder for the results: a Parquet file for each input file, with line, label and probability.
        model: Folder of a published model.
    """
    settings = PredictionSettings(user_path(model), tuple(map(user_path, files)))
    with open_output_folder(user_path(output), settings) as run:
        state = run_stages(run, [STAGE], ExecutionConfig(**preset("quick")["execution"]))
        if not state.is_completed():
            return state
        return Completed(message=f"scored {counted(scored_reviews(run), 'review')} into {run.data_dir}")
