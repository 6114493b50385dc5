"""What a run has made, in a line: for the state of a flow run, and for logs."""

import json
from collections.abc import Sequence

from sentiment_pipeline import layout
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.formatting import counted, percent
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import evaluate, parts, train

__all__ = ["result_line"]


def result_line(run: Run[Settings], stages: Sequence[Stage[Settings]]) -> str:
    """The result of the last of some finished stages.

    For example `test accuracy 93.6% (24,000 reviews)`, `validation accuracy 93.4% (1,200 reviews)`, or `prepared
    1,000,000 reviews, 12 rejected (no text after the label)`.
    """
    names = [stage.name for stage in stages]
    if evaluate.NAME in names:
        return _accuracy("test", json.loads((run.data_dir / layout.METRICS).read_bytes())["test"])
    if train.NAME in names:
        return _accuracy("validation", run.manifest(train.NAME).facts["validation"])
    return _prepared(run)


def _accuracy(split: str, figures: dict[str, float | int | None]) -> str:
    reviews = counted(int(figures["reviews"] or 0), "review")
    return f"{split} accuracy {percent(figures['accuracy'], 2)} ({reviews})"


def _prepared(run: Run[Settings]) -> str:
    totals = [run.manifest(parts.total_name(source)).facts for source in layout.SOURCES]
    reviews, rejected = (sum(each[name] for each in totals) for name in ("reviews", "rejected"))
    reasons = "; ".join(sorted({reason for each in totals for reason in each["reasons"]}))
    return f"prepared {counted(reviews, 'review')}" + (f", {rejected:,} rejected ({reasons})" if rejected else "")
