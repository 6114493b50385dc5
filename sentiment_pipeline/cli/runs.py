"""Running the pipeline: `run`, stages alone, `search`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, astuple
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_pipeline.console import (
    Assignments,
    Config,
    DataDir,
    Label,
    Preset,
    Test,
    Text,
    Train,
    choices_of_options,
    progress_shown,
    show_result,
)
from sentiment_pipeline.formatting import counted, duration

if TYPE_CHECKING:
    from sentiment_pipeline.engine.stage import Stage
    from sentiment_pipeline.settings import Settings

__all__ = ["evaluate", "prepare", "run", "search", "train"]

Metrics = Annotated[bool, typer.Option("--json", help="Print the metrics as one JSON object, as in metrics.json.")]


def run(
    train: Train = None,
    test: Test = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    text: Text = None,
    label: Label = None,
    assignments: Assignments = None,
    as_json: Metrics = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done, about how long, and on how much disk.")
    ] = False,
) -> None:
    """Run all stages; finished ones are skipped, unfinished ones continue.

    Example: sentiment-pipeline run --train train.ft.txt.bz2 --test test.ft.txt.bz2 --preset quick
    """
    from sentiment_pipeline.stages.pipeline import STAGES

    settings = choices_of_options(train, test, data_dir, preset, config, assignments, text, label).resolve()
    if dry_run:
        _show_estimate(settings, as_json)
        return
    _execute(STAGES, settings)
    show_result(settings.data_dir, as_json)


def prepare(
    train: Train = None,
    test: Test = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    text: Text = None,
    label: Label = None,
    assignments: Assignments = None,
) -> None:
    """Run the stages up to the training files: ingest, tokenize, vocabulary, encode.

    Example: sentiment-pipeline prepare --train train.ft.txt.bz2 --test test.ft.txt.bz2
    """
    from sentiment_pipeline.stages.pipeline import PREPARE

    settings = choices_of_options(train, test, data_dir, preset, config, assignments, text, label).resolve()
    print(_execute(PREPARE, settings))


def train(
    train: Train = None,
    test: Test = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    text: Text = None,
    label: Label = None,
    assignments: Assignments = None,
) -> None:
    """Train; with --train and --test the stages before it too, where unfinished.

    Example: sentiment-pipeline train --set training.epochs=3
    """
    from sentiment_pipeline.stages.pipeline import PREPARE, TRAIN

    settings = choices_of_options(train, test, data_dir, preset, config, assignments, text, label).resolve()
    print(_execute((*PREPARE, *TRAIN) if settings.train else TRAIN, settings))


def evaluate(
    train: Train = None,
    test: Test = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    text: Text = None,
    label: Label = None,
    assignments: Assignments = None,
    as_json: Metrics = False,
) -> None:
    """Evaluate on the test set and publish the model; with --train and --test the stages before it too.

    Example: sentiment-pipeline evaluate --data-dir data
    """
    from sentiment_pipeline.stages.pipeline import EVALUATE, STAGES

    settings = choices_of_options(train, test, data_dir, preset, config, assignments, text, label).resolve()
    _execute(STAGES if settings.train else EVALUATE, settings)
    show_result(settings.data_dir, as_json)


def search(
    trials: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Trials in all, with those of earlier searches.")
    ] = 20,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GROUP.NAME",
            help="A setting to search; repeatable.  [default: learning rate, dropout, hidden units]",
        ),
    ] = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    assignments: Assignments = None,
) -> None:
    """Search for better settings by training on a prepared folder; continues an earlier search.

    Example: sentiment-pipeline search --trials 20 --vary training.learning_rate
    """
    from sentiment_pipeline.search import DEFAULT_VARY, Search
    from sentiment_pipeline.stages.pipeline import open_data_folder

    settings = choices_of_options(None, None, data_dir, preset, config, assignments).resolve()
    with open_data_folder(settings) as run, progress_shown() as observer:
        study = Search(run, vary or DEFAULT_VARY)
        while study.finished_trials() < trials:
            trial = study.run_trial(lambda figures: observer.progressed("trial", dict(figures)))
            print(f"trial {trial.number}: validation accuracy {trial.value:.4f}, {trial.params}", flush=True)
    print(f"best settings: {study.best_settings}")


def _execute(stages: "Sequence[Stage[Settings]]", settings: "Settings") -> str:
    """Run `stages` with progress on standard error; returns their result in a line."""
    from sentiment_pipeline.engine.stage import Run
    from sentiment_pipeline.stages.pipeline import run_in_folder
    from sentiment_pipeline.stages.result import result_line

    with progress_shown() as observer:
        run_in_folder(stages, settings, observer)
    return result_line(Run(settings.data_dir, settings), stages)


def _show_estimate(settings: "Settings", as_json: bool) -> None:
    """Print a line for each stage, and the sum; or all as JSON."""
    from sentiment_pipeline.stages.estimate import estimate

    print("measuring on the first reviews of both files …", file=sys.stderr)
    found = list(estimate(settings))
    if as_json:
        print(json.dumps({"stages": [asdict(each) for each in found]}))
        return
    for each in found:
        print(f"{each.stage:<12}{counted(each.steps, 'step'):>12}{duration(each.seconds):>14}{_size(each.bytes):>12}")
    steps, seconds, size = (sum(values) for values in zip(*(astuple(each)[1:] for each in found), strict=True))
    print(f"{'about':<12}{counted(steps, 'step'):>12}{duration(seconds):>14}{_size(size):>12}")


def _size(count: int) -> str:
    return f"{count / 1e6:,.0f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"
