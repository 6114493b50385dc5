"""The command line. It calls the library directly and needs no server.

Heavy modules are imported inside the commands, so that `--help` and a wrong option answer at once. An expected failure
is one line on standard error.
"""

import os
import signal
import sys
from typing import Annotated

import typer

from sentiment_pipeline import __version__
from sentiment_pipeline.cli import folders, models, reviews, runs
from sentiment_pipeline.console import exit_in_one_line
from sentiment_pipeline.openmp import OPENMP_WAIT

__all__ = ["app", "main"]

app = typer.Typer(
    pretty_exceptions_enable=False,
    help="From labelled reviews in two compressed files to a tested LSTM that scores new ones.",
)
_PANELS = {
    "Reviews": (reviews.sample, reviews.download),
    "Pipeline": (runs.run, runs.prepare, runs.train, runs.evaluate, runs.search),
    "Model": (models.predict, models.serve, models.export, models.push, models.promote),
    "Data folder": (folders.status, folders.verify, folders.runs, folders.diff, folders.settings),
}
for _panel, _commands in _PANELS.items():
    for _command in _commands:
        app.command(rich_help_panel=_panel)(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """From labelled reviews in two compressed files to a tested LSTM that scores new ones."""


def main() -> None:
    """Run the command line; expected failures are one line and an exit code of 1, or 2 for wrong usage."""
    os.environ.update({**OPENMP_WAIT, **os.environ})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    exit_in_one_line(app)
