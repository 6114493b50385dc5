"""The evaluated runs of a data folder as tables for people: in a terminal and in Prefect."""

from collections.abc import Iterator, Sequence
from typing import Any

from sentiment_pipeline.formatting import duration, figure, percent
from sentiment_pipeline.stages.run_history import Figures, RecordedRun, best_first

__all__ = ["accuracy_with_error", "common_settings", "leaderboard_lines", "run_row"]


def run_row(run: RecordedRun, runs: Sequence[RecordedRun]) -> dict[str, str]:
    """The figures of a run in words, by column.

    Args:
        run: one of the runs.
        runs: all of them, in the order in which they were evaluated. What all have changed is left out.
    """
    is_comparable = run["test_reviews"] == runs[-1]["test_reviews"]
    own = run["changed"].items() - common_settings(runs).items()
    return {
        "test accuracy": accuracy_with_error(run["test"]),
        "loss": figure(run["test"]["loss"]),
        "validation": accuracy_with_error(run["validation"]),
        "test reviews": figure(run["test"]["reviews"]) + ("" if is_comparable else " others"),
        "trained on": figure(run["training_reviews"]),
        "duration": duration(run["seconds"]),
        "finished": run["finished"][:16].replace("T", " "),
        "settings": ", ".join([run["preset"], *(f"{name}={value}" for name, value in sorted(own))]),
    }


def common_settings(runs: Sequence[RecordedRun]) -> dict[str, Any]:
    """What all of several runs have changed of their presets, to the same values."""
    if len(runs) < 2:
        return {}
    first, *others = (run["changed"] for run in runs)
    return {name: value for name, value in first.items() if all(each.get(name) == value for each in others)}


def leaderboard_lines(runs: Sequence[RecordedRun]) -> Iterator[str]:
    """Yield a line of aligned columns for each run, the best first; and what else there is to know.

    Args:
        runs: in the order in which they were evaluated.
    """
    if not runs:
        yield "no run was evaluated in this folder yet"
        return
    rows = [run_row(run, runs) for run in best_first(runs)]
    table = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
    if common := common_settings(runs):
        yield f"all with {', '.join(f'{name}={value}' for name, value in common.items())}"
    if len({run["test_reviews"] for run in runs}) > 1:
        yield "others: tested on other reviews than the last run, so not to be compared with it"


def accuracy_with_error(figures: Figures) -> str:
    """`92.06% ± 0.17%`; – without reviews."""
    if figures["accuracy"] is None:
        return percent(None)
    return f"{percent(figures['accuracy'], 2)} ± {percent(figures['standard_error'], 2)}"
