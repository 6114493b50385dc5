"""The evaluated runs of a data folder as a table for people, the best first: in a terminal and in Prefect."""

from collections.abc import Iterator, Sequence

from sentiment_pipeline.formatting import duration, figure, percent
from sentiment_pipeline.stages.run_history import Figures, RecordedRun, best_first

__all__ = ["accuracy_with_error", "leaderboard", "leaderboard_lines", "settings_line"]


def leaderboard(runs: Sequence[RecordedRun]) -> list[dict[str, str]]:
    """A row a run, the best first, with its figures in words by column.

    Args:
        runs: in the order in which they were evaluated.
    """
    return [
        {
            "test accuracy": accuracy_with_error(run["test"]),
            "loss": figure(run["test"]["loss"]),
            "validation": accuracy_with_error(run["validation"]),
            "test reviews": figure(run["test"]["reviews"])
            + ("" if run["test_reviews"] == runs[-1]["test_reviews"] else " others"),
            "trained on": figure(run["training_reviews"]),
            "duration": duration(run["seconds"]),
            "finished": run["finished"][:16].replace("T", " "),
            "settings": settings_line(run),
        }
        for run in best_first(runs)
    ]


def leaderboard_lines(runs: Sequence[RecordedRun]) -> Iterator[str]:
    """Yield the leaderboard as lines of aligned columns; one line that says so if there is no run."""
    rows = leaderboard(runs)
    if not rows:
        yield "no run was evaluated in this folder yet"
        return
    table = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
    if len({run["test_reviews"] for run in runs}) > 1:
        yield "others: tested on other reviews than the last run, so not to be compared with it"


def accuracy_with_error(figures: Figures) -> str:
    """`92.06% ± 0.17%`; – without reviews."""
    if figures["accuracy"] is None:
        return percent(None)
    return f"{percent(figures['accuracy'], 2)} ± {percent(figures['standard_error'], 2)}"


def settings_line(run: RecordedRun) -> str:
    """The preset and what the run changed of it: `quick, training.epochs=3`."""
    return ", ".join([run["preset"], *(f"{name}={value}" for name, value in run["changed"].items())])
