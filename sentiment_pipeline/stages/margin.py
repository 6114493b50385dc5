"""Whether a new model may replace the published one: `publish.margin`.

Both are judged by the same test reviews. If the published model was tested on others, it scores the present ones.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from sentiment_pipeline import layout
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.formatting import counted, percent
from sentiment_pipeline.settings.publish import EVERY_MODEL

__all__ = ["require_not_worse"]

_ROWS = 1 << 16  # texts in memory at a time
_REMEDY = f"to publish without comparing, set publish.margin to {EVERY_MODEL:g}"


def require_not_worse(data_dir: Path, new: dict[str, Any], test_reviews: str, margin: float) -> None:
    """Require that the test accuracy of a new model is not lower than the published one's by more than the margin.

    Args:
        data_dir: the data folder with the published model.
        new: `accuracy` and `reviews` of the new model on the test reviews.
        test_reviews: the digest of these, as in the lineage.
        margin: `publish.margin`.

    Raises:
        PipelineError: it is lower; or the published model cannot score the test reviews.
    """
    if margin >= EVERY_MODEL or new["accuracy"] is None:
        return
    before = json.loads((data_dir / layout.MODEL / layout.LINEAGE).read_bytes())
    is_known = before.get("test_reviews") == test_reviews
    accuracy = before["metrics"]["test"]["accuracy"] if is_known else _accuracy(data_dir)
    if round(accuracy - new["accuracy"], 9) > margin:
        raise PipelineError(
            f"the new model is not published: its test accuracy of {percent(new['accuracy'], 2)} is "
            f"{100 * (accuracy - new['accuracy']):.2f} points below that of the published one, {percent(accuracy, 2)}, "
            f"on the same {counted(new['reviews'], 'review')}, and publish.margin allows {100 * margin:.2f}; "
            f"{data_dir / layout.MODEL} is as before; {_REMEDY}"
        )


def _accuracy(data_dir: Path) -> float:
    """The accuracy of the published model on the test reviews of the folder."""
    from sentiment_pipeline.predict import Predictor  # here, because torch takes seconds to import

    paths = sorted(data_dir.glob(layout.shard("test", layout.ANY)))
    if not paths:
        raise PipelineError(
            f"{data_dir / layout.shards('test')} is missing, so the published model, which was tested on other "
            f"reviews, cannot be compared; bring that folder too, or {_REMEDY}"
        )
    try:
        model = Predictor(data_dir / layout.MODEL)
    except PipelineError as error:
        raise PipelineError(f"the published model cannot be compared: {error}; or {_REMEDY}") from error
    right = reviews = 0
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(_ROWS, columns=["label", "text"]):
            said = model.predict_proba(batch["text"].to_pylist()) > 0.5
            right += int(np.count_nonzero(said == (batch["label"].to_numpy() == 1)))
            reviews += len(batch)
    return right / reviews
