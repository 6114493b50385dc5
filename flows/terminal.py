"""The pipeline flow from a terminal, as `make run` starts it: `python -m flows.terminal --train FILE --test FILE`.

The options are those of `sentiment-pipeline run`.

The run appears at the server of `PREFECT_API_URL`, otherwise at a running `make ui`. If there is none, Prefect starts a
server for the run; `[tool.prefect]` of pyproject.toml keeps its data in the project, where a later `make ui` finds it.
Progress and expected failures look like those of the command line. Of Prefect's log only the traceback of a defect is
shown; all of it is kept with the flow run.
"""

import logging
import signal
import sys
from typing import Any

import typer
from prefect import tags
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from flows.pipeline import pipeline
from flows.server_address import running_ui
from sentiment_pipeline.console import (
    Assignments,
    Config,
    DataDir,
    Preset,
    Test,
    Train,
    choices_of_options,
    exit_in_one_line,
    show_result,
)
from sentiment_pipeline.errors import PipelineError

__all__ = ["app", "main"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    train: Train = None,
    test: Test = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    assignments: Assignments = None,
) -> None:
    """Run the pipeline flow."""
    chosen = choices_of_options(train, test, data_dir, preset, config, assignments)
    settings = chosen.resolve()  # fails on a wrong setting before Prefect starts
    _show_only_tracebacks()
    server = {PREFECT_API_URL: PREFECT_API_URL.value() or running_ui(PREFECT_HOME.value())}
    with temporary_settings(server), tags("sentiment"):  # by this tag the automations recognize runs of this project
        state: Any = pipeline(chosen, return_state=True)
    if not state.is_completed():
        raise PipelineError(state.message or state.name)
    show_result(settings.data_dir)


def _show_only_tracebacks() -> None:
    """Hide what Prefect logs to the terminal, except tracebacks."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda record: bool(record.exc_info and record.exc_info[0]))


def main() -> None:
    """Run the command; expected failures are one line and an exit code of 1, or 2 for wrong settings."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # exit in order, which stops Prefect's server too
    exit_in_one_line(app)


if __name__ == "__main__":
    main()
