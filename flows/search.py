"""A search for better settings; each trial is a task run."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.states import Completed, State
from pydantic import Field

from flows.flow_run import Part, final_state, perform_in_order, run_stages
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.search import DEFAULT_VARY, Search, Searchable
from sentiment_pipeline.settings import Choices
from sentiment_pipeline.stages.pipeline import PREPARE, open_data_folder

__all__ = ["search"]


@flow(log_prints=True, flow_run_name="search in {settings.data_dir}")
@final_state
def search(
    settings: Choices,
    trials: Annotated[int, Field(ge=1)] = 20,
    vary: Annotated[list[Searchable], Field(min_length=1)] = list(DEFAULT_VARY),  # noqa: B006
) -> State:
    """Train with various settings on the prepared reviews; the best by validation accuracy go to search/best.toml.

    A search with the same settings continues the earlier one, until it has as many trials as requested.

    Args:
        settings: The settings that the trials start from. If `train` and `test` are given, unfinished preparation is
            done first.
        trials: Number of trials, including those of earlier searches.
        vary: The settings to search over.
    """
    with open_data_folder(settings.resolve()) as run:
        if settings.train:
            prepared = run_stages(run, PREPARE, run.settings.execution)
            if not prepared.is_completed():
                return prepared
        study = Search(run, vary)
        ended = perform_in_order(_trials(study, trials))
        return Completed(message=f"the best settings are in {study.best_settings}") if ended.is_completed() else ended


def _trials(study: Search, trials: int) -> Iterator[Part]:
    """The trials that are still to be run."""
    for number in range(study.finished_trials(), trials):
        yield f"trial-{number:03d}", partial(_run_trial, study)


def _run_trial(study: Search) -> State:
    """Run the next trial, then publish a table of all."""
    observer = PlainObserver(lambda line: get_run_logger().info(line))
    trial = study.run_trial(lambda figures: observer.progressed("trial", dict(figures)))
    rows = [
        {"trial": other.number, "validation accuracy": other.value, **other.params}
        for other in study.study.trials
        if other.value is not None
    ]
    create_table_artifact(
        sorted(rows, key=lambda row: -row["validation accuracy"]),
        key="trials",
        description="Trials of the search, best first",
    )
    return Completed(message=f"validation accuracy {trial.value:.4f} with {trial.params}")
