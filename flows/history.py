"""The history of a data folder in Prefect: a leaderboard of its runs, and where its published model comes from.

Both are artifacts of the flow run, with a key for each folder, so that a later run shows a later version of them.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run

from flows.lineage_drawing import lineage_drawing
from sentiment_pipeline import layout
from sentiment_pipeline.comparison import read_folder
from sentiment_pipeline.stages.leaderboard import common_settings, run_row
from sentiment_pipeline.stages.run_history import RecordedRun, best_first, link_runs, read_runs

__all__ = ["history_shown", "leaderboard", "side_by_side"]

_RUNS = 5  # side by side


@contextmanager
def history_shown(data_dir: Path) -> Iterator[None]:
    """Link what is evaluated in the block to this flow run; when it ends, show the history of the folder.

    A run does not fail for that: what goes wrong becomes a warning.
    """
    known: list[RecordedRun] = []
    with _errors_as_warnings():
        known = read_runs(data_dir)
    yield
    with _errors_as_warnings():
        _show_history(data_dir, known)


def _show_history(data_dir: Path, known: Sequence[RecordedRun]) -> None:
    """Link the runs that were not yet known, and create the artifacts."""
    link_runs(data_dir, flow_run.ui_url or "", known)
    if runs := read_runs(data_dir):
        _show(data_dir, "leaderboard", leaderboard(runs), f"Runs in {data_dir}, the best first")
    if (data_dir / layout.LINEAGE).exists():
        text = f"{lineage_drawing(read_folder(data_dir))}\n\n## The last runs\n\n{side_by_side(runs)}"
        _show(data_dir, "lineage", text, f"Where the published model of {data_dir} comes from")


def leaderboard(runs: Sequence[RecordedRun]) -> str:
    """The runs of a folder as a Markdown table, the best first; each links to its flow run.

    Args:
        runs: in the order in which they were evaluated, at least one.
    """
    rows = [{**run_row(run, runs), "finished": _linked(run, runs)} for run in best_first(runs)]
    common = ", ".join(f"{name}={value}" for name, value in common_settings(runs).items())
    table = _table([list(rows[0]), *(list(row.values()) for row in rows)])
    return table + (f"\n\nAll with {_cell(common)}." if common else "")


def side_by_side(runs: Sequence[RecordedRun]) -> str:
    """The last runs as the columns of a Markdown table, the latest first.

    Args:
        runs: in the order in which they were evaluated.
    """
    shown = [{**run_row(run, runs), "finished": _linked(run, runs)} for run in [*reversed(runs)][:_RUNS]]
    if not shown:
        return "No run was evaluated in this folder yet."
    names = [name for name in shown[0] if name != "finished"]
    return _table(
        [["", *(row["finished"] for row in shown)], *([name, *(row[name] for row in shown)] for name in names)]
    )


def _linked(run: RecordedRun, runs: Sequence[RecordedRun]) -> str:
    finished = run_row(run, runs)["finished"]
    return f"[{finished}]({run['link']})" if run["link"] else finished


def _table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its header."""
    lines = [[_cell(text) for text in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], ["---"] * len(lines[0]), *lines[1:]))


def _cell(text: str) -> str:
    """Text that does not end its cell, and is not read as HTML."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _show(data_dir: Path, name: str, text: str, description: str) -> None:
    create_markdown_artifact(text, key=f"{name}-{_key(data_dir)}", description=description)


def _key(data_dir: Path) -> str:
    """The name of a folder as part of an artifact's key, and a hash of its path, because others may be called so."""
    name = re.sub("[^a-z0-9]+", "-", data_dir.name.lower()).strip("-")[:40]
    return f"{name}-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:8]}".lstrip("-")


@contextmanager
def _errors_as_warnings() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        get_run_logger().warning("history not shown: %s: %s", type(error).__name__, error)
