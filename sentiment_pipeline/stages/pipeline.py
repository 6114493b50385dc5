"""All stages in order, and running them in a data folder."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sentiment_pipeline.engine.executor import executor_for
from sentiment_pipeline.engine.stage import Observer, Run, Stage, open_folder, run_stages
from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.settings import Settings, write_last_run
from sentiment_pipeline.stages import encode, evaluate, ingest, publish, quality, tokenize, train, vocabulary

__all__ = ["EVALUATE", "PREPARE", "STAGES", "TRAIN", "open_data_folder", "run_in_folder"]

PREPARE: tuple[Stage[Settings], ...] = (ingest.STAGE, tokenize.STAGE, quality.STAGE, vocabulary.STAGE, encode.STAGE)
TRAIN: tuple[Stage[Settings], ...] = (train.STAGE,)
EVALUATE: tuple[Stage[Settings], ...] = (evaluate.STAGE, publish.STAGE)
STAGES = (*PREPARE, *TRAIN, *EVALUATE)


@contextmanager
def open_data_folder(settings: Settings) -> Iterator[Run[Settings]]:
    """Lock the data folder of `settings` for one run and record the settings there.

    Raises:
        PipelineError: another run holds the folder.
    """
    with open_folder(settings.data_dir, STAGES):
        write_last_run(settings)
        yield Run(settings.data_dir, settings)


def run_in_folder(stages: Sequence[Stage[Settings]], settings: Settings, observer: Observer) -> None:
    """Run `stages` on this machine, without Prefect, in the data folder of `settings`.

    Raises:
        SettingsError: `execution.runner` is dask, which only the flows use.
        PipelineError: another run holds the folder, or a step failed.
    """
    execution = settings.execution
    if execution.runner == "dask":
        raise SettingsError(
            "execution.runner is dask, which only the Prefect flows use; start one of those, or set it "
            "to processes or threads"
        )
    with open_data_folder(settings) as run, executor_for(execution.runner, execution.workers) as executor:
        run_stages(run, stages, executor, observer)
