"""The history of a data folder: each evaluated run with its figures, in `runs.json`.

It is no output of a step: it outlives the results that it tells of, and grows with each run. The file is replaced as a
whole, so a killed process leaves the one before.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

from sentiment_pipeline import layout
from sentiment_pipeline.chance import standard_error
from sentiment_pipeline.engine.files import read_bytes, write_text
from sentiment_pipeline.engine.manifest import JSON, fingerprint
from sentiment_pipeline.errors import PipelineError

__all__ = ["Figures", "RecordedRun", "best_first", "damage", "link_runs", "read_runs", "record_run"]

_FORMAT = 1  # of the file


class Figures(TypedDict):
    """The figures on one split; None without reviews."""

    reviews: int
    accuracy: float | None
    standard_error: float | None
    loss: float | None


class RecordedRun(TypedDict):
    """An evaluated run.

    `finished` is the time in UTC, `seconds` the work of all stages that made the model, summed over processes,
    `training_reviews` how many it was trained on. `changed` has the settings that differ from the preset's, by
    `group.name`. Runs with the same `test_reviews`, a digest, were tested on the same. `link` is the address of a page
    about the run; empty if there is none.
    """

    fingerprint: str
    finished: str
    seconds: float
    preset: str
    changed: dict[str, Any]
    training_reviews: int
    test_reviews: str
    test: Figures
    validation: Figures
    link: str


def record_run(
    data_dir: Path, about: Mapping[str, JSON], metrics: Mapping[str, Mapping[str, Any]], seconds: float
) -> None:
    """Add an evaluated run to the history; one with the same fingerprint, which was the same run, is replaced.

    Args:
        data_dir: the data folder.
        about: `fingerprint`, `preset`, `changed` and `test_reviews` of the run.
        metrics: as in `metrics.json`.
        seconds: that the evaluation took.

    Raises:
        PipelineError: the history is damaged.
    """
    train, prepare = metrics["train"], metrics["prepare"]
    run = RecordedRun(
        fingerprint=about["fingerprint"],
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(prepare["seconds"] + train["seconds"] + seconds, 3),
        preset=about["preset"],
        changed=about["changed"],
        training_reviews=train["trained_on"]["reviews"],
        test_reviews=about["test_reviews"],
        test=_figures(metrics["test"]),
        validation=_figures(metrics["validation"]),
        link="",
    )
    kept = [each for each in read_runs(data_dir) if each["fingerprint"] != run["fingerprint"]]
    _write(data_dir, [*kept, run])


def link_runs(data_dir: Path, link: str, known: Sequence[RecordedRun]) -> None:
    """Give the runs that were recorded since the history was `known` the address of a page about them."""
    runs = read_runs(data_dir)
    if any(run not in known for run in runs):
        _write(data_dir, [run if run in known else {**run, "link": link} for run in runs])


def _write(data_dir: Path, runs: Sequence[RecordedRun]) -> None:
    body = {"format": _FORMAT, "runs": runs}
    write_text(data_dir / layout.RUNS, json.dumps({**body, "sha256": fingerprint(body)}, indent=1) + "\n")


def _figures(metrics: Mapping[str, Any]) -> Figures:
    return Figures(
        reviews=metrics["reviews"],
        accuracy=metrics["accuracy"],
        standard_error=standard_error(metrics["accuracy"], metrics["reviews"]),
        loss=metrics["loss"],
    )


def read_runs(data_dir: Path) -> list[RecordedRun]:
    """The runs of a data folder in the order in which they were evaluated; none if there is no history.

    Raises:
        PipelineError: the history is damaged, or that of another version.
    """
    path = data_dir / layout.RUNS
    try:
        body = json.loads(read_bytes(path))
        if body.pop("sha256") != fingerprint(body) or body["format"] != _FORMAT:
            raise ValueError("its checksum does not match")
        runs: list[RecordedRun] = body["runs"]
        return runs
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PipelineError(f"{path} is damaged ({error}); move it away, and a new history begins") from error


def damage(data_dir: Path) -> Iterator[str]:
    """Yield a line if the history is damaged."""
    try:
        read_runs(data_dir)
    except PipelineError as error:
        yield str(error)


def best_first(runs: Sequence[RecordedRun]) -> list[RecordedRun]:
    """The runs by test accuracy, the best first; those tested on other reviews than the last run come after the rest.

    Args:
        runs: in the order in which they were evaluated.
    """
    present = runs[-1]["test_reviews"] if runs else ""
    return sorted(runs, key=lambda run: (run["test_reviews"] != present, -(run["test"]["accuracy"] or 0.0)))
