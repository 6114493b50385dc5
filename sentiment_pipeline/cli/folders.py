"""What folders hold, and what settings there are: `status`, `verify`, `runs`, `diff`, `settings`."""

import json
from dataclasses import asdict
from typing import Annotated

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
    complete_group,
    input_group,
)
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.paths import user_path

__all__ = ["diff", "runs", "settings", "status", "verify"]


def status(
    train: Train = None,
    test: Test = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    text: Text = None,
    label: Label = None,
    assignments: Assignments = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: stages, a list in their order.")] = False,
) -> None:
    """Show which stages are finished, unfinished or stale, and why (default: for the settings of the last run).

    Example: sentiment-pipeline status --set vocabulary.min_count=3
    """
    from sentiment_pipeline import layout
    from sentiment_pipeline.engine.stage import Run
    from sentiment_pipeline.engine.status import stage_statuses, status_lines
    from sentiment_pipeline.settings import load, read_last_run
    from sentiment_pipeline.stages.pipeline import STAGES

    base = read_last_run(user_path(data_dir if data_dir is not None else "data"))
    if preset or config:  # then the last run's other settings mean nothing
        base = {name: base[name] for name in layout.SOURCES if name in base}
    options = {"train": train, "test": test, "data_dir": data_dir, "preset": preset}
    settings = load(options, config, assignments or (), base, input_group(text, label))
    opened = Run(settings.data_dir, settings)
    if as_json:
        print(json.dumps({"stages": list(stage_statuses(opened, STAGES))}))
        return
    for line in status_lines(opened, STAGES):
        print(line)


def verify(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: damaged, a list of lines.")] = False,
) -> None:
    """Re-read and check every published file; name each damaged or missing one.

    Example: sentiment-pipeline verify --data-dir data
    """
    from sentiment_pipeline.engine.verify import damage
    from sentiment_pipeline.stages.pipeline import STAGES

    found = damage(user_path(data_dir if data_dir is not None else "data"), STAGES)
    if as_json:
        print(json.dumps({"damaged": found}))
    else:
        for line in found:
            print(line)
    if found:
        raise PipelineError(f"{len(found)} damaged or missing; run again to rebuild exactly those")
    if not as_json:
        print("every published file is as its manifest says")


def runs(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: runs, a list, the best first.")] = False,
) -> None:
    """List the evaluated runs of a data folder, the best first: figures, duration, what they changed of their preset.

    Example: sentiment-pipeline runs --data-dir data
    """
    from sentiment_pipeline.stages.leaderboard import leaderboard_lines
    from sentiment_pipeline.stages.run_history import best_first, read_runs

    found = read_runs(user_path(data_dir if data_dir is not None else "data"))
    if as_json:
        print(json.dumps({"runs": best_first(found)}))
        return
    for line in leaderboard_lines(found):
        print(line)


def diff(
    a: Annotated[str, typer.Argument(metavar="DIR", help="A data folder or a model folder.")],
    b: Annotated[str, typer.Argument(metavar="DIR", help="Another one.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: each part by its name.")] = False,
) -> None:
    """Compare two folders: inputs, settings, versions, figures, and whether these differ by more than chance.

    Example: sentiment-pipeline diff data/model-before data/model
    """
    from sentiment_pipeline.comparison import compare, lines, read_folder

    first, second = read_folder(user_path(a)), read_folder(user_path(b))
    comparison = compare(first, second)
    if as_json:
        print(json.dumps({"a": str(first.path), "b": str(second.path), **asdict(comparison)}))
        return
    for line in lines(comparison, first.path, second.path):
        print(line)


def settings(
    group: Annotated[
        str | None,
        typer.Argument(metavar="[GROUP]", help="Only this group, such as training.", autocompletion=complete_group),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: each setting by its name.")] = False,
) -> None:
    """Show every setting with its meaning, its limits and its value in each preset.

    Example: sentiment-pipeline settings training
    """
    from sentiment_pipeline.settings.reference import print_reference, reference_values

    if as_json:
        print(json.dumps(reference_values(group)))
    else:
        print_reference(group)
