"""What the command line and `python -m flows.terminal` share: options, one-line failures, results."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import Abort, TyperException

from sentiment_pipeline import layout
from sentiment_pipeline.errors import SettingsError, expected_failure
from sentiment_pipeline.progress import PlainObserver, terminal_observer
from sentiment_pipeline.settings import GROUPS, PRESETS, Choices, choices

__all__ = [
    "Assignments",
    "Config",
    "DataDir",
    "Label",
    "Preset",
    "Test",
    "Text",
    "Train",
    "choices_of_options",
    "complete_group",
    "exit_in_one_line",
    "input_group",
    "progress_shown",
    "show_result",
]


def complete_group(incomplete: str) -> list[str]:
    """The groups of settings that begin so, for a shell."""
    return [group for group in GROUPS if group.startswith(incomplete)]


def _complete_setting(incomplete: str) -> list[str]:
    """The settings that begin so, for a shell, as `group.name=`."""
    names = (f"{group}.{each.name}=" for group, kind in GROUPS.items() for each in fields(kind))
    return [name for name in names if name.startswith(incomplete)]


# Paths are strings until `settings` makes them absolute, so that what is wrong with one is said in one way.
Train = Annotated[
    list[str] | None,
    typer.Option(
        "--train",
        metavar="FILE",
        help="Training reviews: fastText lines, CSV, TSV or JSON lines, also compressed, Parquet or Arrow. A file, a "
        "folder or a quoted pattern; repeatable.",
    ),
]
Test = Annotated[
    list[str] | None, typer.Option("--test", metavar="FILE", help="Test reviews, in any of these formats; repeatable.")
]
Text = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The column of the text in a table.  [default: text or content, with title]"),
]
Label = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="The column of the label in a table.  [default: label]")
]
DataDir = Annotated[
    str | None,
    typer.Option("--data-dir", metavar="DIR", help="The folder for everything that is made.  [default: data]"),
]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="tutorial, quick or full.  [default: full with a GPU, else quick]",
        autocompletion=lambda: list(PRESETS),
    ),
]
Config = Annotated[str | None, typer.Option(metavar="FILE", help="A TOML file of settings over the preset.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="GROUP.NAME=VALUE",
        help="One setting over the preset and the file; repeatable.",
        autocompletion=_complete_setting,
    ),
]


def choices_of_options(
    train: list[str] | None,
    test: list[str] | None,
    data_dir: str | None,
    preset: str | None,
    config: str | None,
    assignments: list[str] | None,
    text: str | None = None,
    label: str | None = None,
) -> Choices:
    """The choices that the options make.

    Raises:
        SettingsError: an option or setting is wrong; names each.
    """
    options = {"train": train, "test": test, "data_dir": data_dir, "preset": preset}
    return choices(options, config, assignments or (), groups=input_group(text, label))


def input_group(text: str | None, label: str | None) -> dict[str, dict[str, str]]:
    """The settings that `--text` and `--label` make."""
    given = {"text": text, "label": label}
    return {"input": {name: value for name, value in given.items() if value is not None}}


@contextmanager
def progress_shown() -> Iterator[PlainObserver]:
    """An observer that shows progress on standard error for as long as the block lasts."""
    with closing(terminal_observer()) as observer:
        yield observer


def show_result(data_dir: Path, as_json: bool = False) -> None:
    """Print the test metrics, and where the model and the report are; or all metrics as JSON."""
    metrics = json.loads((data_dir / layout.METRICS).read_text())
    if as_json:
        print(json.dumps(metrics))
        return
    test = metrics["test"]
    print(f"test: accuracy {test['accuracy']:.4f}, loss {test['loss']:.4f}, {test['reviews']:,} reviews")
    print(f"model: {data_dir / layout.MODEL}")
    if (data_dir / layout.REPORT).exists():
        print(f"report: {data_dir / layout.REPORT}")


def exit_in_one_line(command: Callable[..., Any]) -> NoReturn:
    """Run a Typer command and exit: 0, or an expected failure in one line and 1, or 2 for wrong usage or settings."""
    try:
        sys.exit(command(standalone_mode=False))
    except TyperException as error:
        _fail(f"{error.format_message()} (see --help)", 2)
    except (Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        failure = expected_failure(error)
        if failure is None:
            raise
        _fail(str(failure), 2 if isinstance(failure, SettingsError) else 1)


def _fail(message: str, code: int) -> NoReturn:
    print(f"sentiment-pipeline: {' '.join(message.splitlines())}", file=sys.stderr)
    sys.exit(code)
