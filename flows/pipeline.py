"""The flows that make a model: all stages, or some of them.

Each takes one parameter, a user's choices, so that Prefect makes the form in its UI from the settings model.
"""

from collections.abc import Sequence

from prefect import flow
from prefect.states import Completed, State

from flows.flow_run import final_state, run_stages
from flows.history import history_shown
from sentiment_pipeline.engine.stage import Stage
from sentiment_pipeline.settings import Choices, Settings
from sentiment_pipeline.stages.pipeline import EVALUATE, PREPARE, STAGES, TRAIN, open_data_folder
from sentiment_pipeline.stages.result import result_line

__all__ = ["evaluate", "pipeline", "prepare", "train"]


@flow(log_prints=True, flow_run_name="pipeline in {settings.data_dir}")
@final_state
def pipeline(settings: Choices) -> State:
    """From two files of labelled reviews to a tested model. Finished steps are skipped, unfinished ones continue.

    Args:
        settings: The files, the folder and the preset. Fields that you leave empty get the value of the preset.
    """
    return _run(STAGES, settings)


@flow(log_prints=True, flow_run_name="prepare in {settings.data_dir}")
@final_state
def prepare(settings: Choices) -> State:
    """From two files of labelled reviews to the memory-mapped training files.

    Args:
        settings: The files, the folder and the preset. Fields that you leave empty get the value of the preset.
    """
    return _run(PREPARE, settings)


@flow(log_prints=True, flow_run_name="train in {settings.data_dir}")
@final_state
def train(settings: Choices) -> State:
    """Train on a prepared data folder. If `train` and `test` are given, unfinished preparation is done first.

    Args:
        settings: The folder and the preset. Fields that you leave empty get the value of the preset.
    """
    return _run((*PREPARE, *TRAIN) if settings.train else TRAIN, settings)


@flow(log_prints=True, flow_run_name="evaluate in {settings.data_dir}")
@final_state
def evaluate(settings: Choices) -> State:
    """Evaluate the trained model on the test set and publish it. If `train` and `test` are given, all stages run.

    Args:
        settings: The folder and the preset. Fields that you leave empty get the value of the preset.
    """
    return _run(STAGES if settings.train else EVALUATE, settings)


def _run(stages: Sequence[Stage[Settings]], choices: Choices) -> State:
    with open_data_folder(choices.resolve()) as run, history_shown(run.data_dir):
        state = run_stages(run, stages, run.settings.execution)
        return Completed(message=result_line(run, stages)) if state.is_completed() else state
