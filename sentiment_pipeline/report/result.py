"""What a report is made of: plain data, so that a stage can collect it where matplotlib is not installed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Mistake", "Result", "StageTime"]


@dataclass(frozen=True)
class StageTime:
    """The work of a finished stage.

    Attributes:
        name: of the stage.
        steps: how many steps it has.
        seconds: their total time, summed over all processes.
    """

    name: str
    steps: int
    seconds: float


@dataclass(frozen=True)
class Mistake:
    """A review that the model misclassified.

    Attributes:
        text: of the review.
        label: the true class, 0 negative or 1 positive.
        probability: the predicted probability of the positive class.
    """

    text: str
    label: int
    probability: float


@dataclass(frozen=True)
class Result:
    """What a report is made of. The report leaves out parts that are empty.

    Attributes:
        name: what was trained, for example the preset.
        metrics: by part (`test`, `validation`, `train`, `prepare`), figures by name, as in `metrics.json`.
        settings: by group, values by name.
        history: the lines of the training history: `step`, `loss`, `accuracy`, `reviews_per_s`, …, and at validations
            `validation_loss` and `validation_accuracy`.
        stages: in order.
        lengths: by split, the number of tokens of each review, int [reviews].
        probabilities: predicted probabilities of the positive class, float32 [test reviews].
        labels: true classes, int8 [test reviews], 0 negative, 1 positive.
        rejected: by input file, the number of rejected lines by reason.
        mistakes: the most confident first.
    """

    name: str
    metrics: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Mapping[str, Any]]
    history: Sequence[Mapping[str, float]] = ()
    stages: Sequence[StageTime] = ()
    lengths: Mapping[str, np.ndarray] = field(default_factory=dict)
    probabilities: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int8))
    rejected: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    mistakes: Sequence[Mistake] = ()
