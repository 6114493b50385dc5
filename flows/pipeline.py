"""The flows that make a model: all stages, or a part of them.

Each takes one parameter, the choices of a user, so that the form in the Prefect UI is made from the settings
model. `flows.terminal` runs the pipeline flow from a terminal.
"""

from collections.abc import Sequence
from typing import Any

from prefect import flow
from prefect.states import State

from flows.flow_run import run_flow, run_stages
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.settings import Choices, Settings
from sentiment_pipeline.stages.pipeline import EVALUATE, PREPARE, STAGES, TRAIN, open_data_folder

__all__ = ["evaluate", "pipeline", "prepare", "train"]


@flow(log_prints=True, flow_run_name="pipeline in {settings.data_dir}")
def pipeline(settings: Choices) -> Any:
    """From two files of labelled reviews to a tested model. Finished steps are skipped, unfinished ones continue.

    Args:
        settings: the files, the folder and the preset; what is left empty is as the preset says.
    """
    return _run(STAGES, settings)


@flow(log_prints=True, flow_run_name="prepare in {settings.data_dir}")
def prepare(settings: Choices) -> Any:
    """From two files of labelled reviews to the memory-mapped training files.

    Args:
        settings: the files, the folder and the preset; what is left empty is as the preset says.
    """
    return _run(PREPARE, settings)


@flow(log_prints=True, flow_run_name="train in {settings.data_dir}")
def train(settings: Choices) -> Any:
    """Train on the prepared data folder; with `train` and `test` given, prepare first what is not finished.

    Args:
        settings: the folder and the preset; what is left empty is as the preset says.
    """
    return _run((*PREPARE, *TRAIN) if settings.train else TRAIN, settings)


@flow(log_prints=True, flow_run_name="evaluate in {settings.data_dir}")
def evaluate(settings: Choices) -> Any:
    """Evaluate the trained model on the test set and publish it; with `train` and `test` all that comes before too.

    Args:
        settings: the folder and the preset; what is left empty is as the preset says.
    """
    return _run(STAGES if settings.train else EVALUATE, settings)


def _run(stages: Sequence[Stage[Settings]], choices: Choices) -> State:
    """Run the stages with these choices over their preset."""

    def work(run: Run[Settings]) -> State:
        return run_stages(stages, run.settings.execution, run)

    return run_flow(lambda: open_data_folder(choices.resolve()), work)
