"""A search for better settings, a task run a trial."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.states import Completed, State
from pydantic import Field

from flows.flow_run import NamedWork, perform_in_order, run_flow, run_stages
from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.search import DEFAULT_VARY, Search, Searchable
from sentiment_pipeline.settings import Choices, Settings
from sentiment_pipeline.stages.pipeline import PREPARE, open_data_folder

__all__ = ["search"]


@flow(log_prints=True, flow_run_name="search in {settings.data_dir}")
def search(
    settings: Choices,
    trials: Annotated[int, Field(ge=1)] = 20,
    vary: Annotated[list[Searchable], Field(min_length=1)] = list(DEFAULT_VARY),  # noqa: B006
) -> Any:
    """Try settings by training on the prepared reviews; the best by validation accuracy end up in search/best.toml.

    A search of the same settings goes on where it stopped, until it has as many trials as are wanted.

    Args:
        settings: what the trials vary; with `train` and `test` given, what is not prepared is prepared first.
        trials: how many trials there are to be in the end.
        vary: the settings to search.
    """

    def work(run: Run[Settings]) -> State:
        if settings.train:
            prepared = run_stages(PREPARE, run.settings.execution, run)
            if not prepared.is_completed():
                return prepared
        study = Search(run, vary)
        ended = perform_in_order(_trials(study, trials))
        return Completed(message=f"the best settings are in {study.best_settings}") if ended.is_completed() else ended

    return run_flow(lambda: open_data_folder(settings.resolve()), work)


def _trials(study: Search, trials: int) -> Iterator[NamedWork]:
    """The trials that are still to do."""
    for number in range(study.finished_trials(), trials):
        yield f"trial-{number:03d}", partial(_run_trial, study)


def _run_trial(study: Search) -> State:
    """Do a trial; show all that there are."""
    observer = PlainObserver(lambda line: get_run_logger().info(line))
    trial = study.run_trial(lambda figures: observer.progressed("trial", dict(figures)))
    rows = [
        {"trial": each.number, "validation accuracy": each.value, **each.params}
        for each in study.study.trials
        if each.value is not None
    ]
    create_table_artifact(
        sorted(rows, key=lambda row: -row["validation accuracy"]),
        key="trials",
        description="Trials of the search, the best first",
    )
    return Completed(message=f"validation accuracy {trial.value:.4f} with {trial.params}")
