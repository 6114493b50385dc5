"""A search for better settings, a task run a trial."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.states import Completed, State
from pydantic import Field

from flows.running import Part, in_order, run_flow, run_stages
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.search import USUAL, Search, Varied
from sentiment_pipeline.settings import Choices, absolute
from sentiment_pipeline.stages.pipeline import PREPARE, opened
from sentiment_pipeline.stages.step import Run


@flow(log_prints=True, flow_run_name="search in {settings.data_dir}")
def search(settings: Choices, trials: Annotated[int, Field(ge=1)] = 20,
           vary: Annotated[list[Varied], Field(min_length=1)] = list(USUAL)) -> Any:  # noqa: B006
    """Try settings by training on the prepared reviews; the best by validation accuracy end up in search/best.toml.

    A search of the same settings goes on where it stopped, until it has as many trials as are wanted.

    Args:
        settings: what the trials vary; with `train` and `test` given, what is not prepared is prepared first.
        trials: how many trials there are to be in the end.
        vary: the settings to search.
    """
    def work(run: Run) -> State:
        if settings.train and not (prepared := run_stages(PREPARE, run)).is_completed():
            return prepared
        study = Search(run, vary)
        ended = in_order(parts(study, trials))
        return Completed(message=f"the best settings are in {study.best}") if ended.is_completed() else ended

    return run_flow(lambda: opened(absolute(settings.resolve())), work)


def parts(study: Search, trials: int) -> Iterator[Part]:
    """The trials that are still to do."""
    for number in range(study.done(), trials):
        yield f"trial-{number:03d}", partial(try_next, study)


def try_next(study: Search) -> State:
    """Do a trial; show all that there are."""
    observer = PlainObserver(lambda line: get_run_logger().info(line))
    trial = study.try_next(lambda figures: observer.reported("trial", dict(figures)))
    rows = [{"trial": each.number, "validation accuracy": each.value, **each.params}
            for each in study.study.trials if each.value is not None]
    create_table_artifact(sorted(rows, key=lambda row: -row["validation accuracy"]), key="trials",
                          description="Trials of the search, the best first")
    return Completed(message=f"validation accuracy {trial.value:.4f} with {trial.params}")
