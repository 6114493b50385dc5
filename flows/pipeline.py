"""The flows that make a model: all stages, or a part of them.

Each takes one parameter, the choices of a user, so that the form in the Prefect UI is made from the settings
model. Run as a module this is the pipeline flow on a terminal, without a server of the user's:
`python -m flows.pipeline --train FILE --test FILE --data-dir DIR`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from prefect import flow
from prefect.states import State

from flows.running import run_flow, run_stages
from sentiment_pipeline.settings import Choices, absolute
from sentiment_pipeline.stages.pipeline import EVALUATE, PREPARE, STAGES, TRAIN, opened
from sentiment_pipeline.stages.step import Stage


@flow(log_prints=True, flow_run_name="pipeline in {settings.data_dir}")
def pipeline(settings: Choices) -> Any:
    """From two files of labelled reviews to a tested model. What is finished is skipped, what is not goes on.

    Args:
        settings: the files, the folder and the preset; what is left empty is as the preset says.
    """
    return run(STAGES, settings)


@flow(log_prints=True, flow_run_name="prepare in {settings.data_dir}")
def prepare(settings: Choices) -> Any:
    """From two files of labelled reviews to the memory-mapped training files.

    Args:
        settings: the files, the folder and the preset; what is left empty is as the preset says.
    """
    return run(PREPARE, settings)


@flow(log_prints=True, flow_run_name="train in {settings.data_dir}")
def train(settings: Choices) -> Any:
    """Train on the prepared data folder; with `train` and `test` given, prepare first what is not finished.

    Args:
        settings: the folder and the preset; what is left empty is as the preset says.
    """
    return run((*PREPARE, *TRAIN) if settings.train else TRAIN, settings)


@flow(log_prints=True, flow_run_name="evaluate in {settings.data_dir}")
def evaluate(settings: Choices) -> Any:
    """Evaluate the trained model on the test set and publish it; with `train` and `test` all that comes before too.

    Args:
        settings: the folder and the preset; what is left empty is as the preset says.
    """
    return run(STAGES if settings.train else EVALUATE, settings)


def run(stages: Sequence[Stage], choices: Any) -> State:
    """Run the stages with these choices over their preset."""
    return run_flow(lambda: opened(absolute(choices.resolve())), partial(run_stages, stages))


if __name__ == "__main__":
    from flows.terminal import main

    main()
