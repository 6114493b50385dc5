"""The best weights of a run so far, those with the lowest validation loss."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from sentiment_pipeline.models.evaluation import Metrics

__all__ = ["BestWeights"]


class BestWeights:
    """A copy of the weights with the lowest validation loss so far.

    Attributes:
        weights: the state dict of the model, on the CPU; empty before the first validation.
        metrics: their training step, as `step`, and their validation metrics; empty before the first validation.
    """

    def __init__(self) -> None:
        self.weights: dict[str, Tensor] = {}
        self.metrics: Metrics = {}

    def update(self, model: nn.Module, step: int, found: Metrics) -> None:
        """Keep the weights of a model if they are the best so far; without validation reviews the last ones are.

        Args:
            model: the model.
            step: number of training steps so far.
            found: its validation metrics: `reviews`, `loss`, `accuracy` and more.
        """
        if self._is_better(found):
            self.metrics = {"step": step, **found}
            self.weights = {name: each.detach().cpu().clone() for name, each in model.state_dict().items()}

    def _is_better(self, found: Metrics) -> bool:
        return not self.metrics or not found["reviews"] or bool(found["loss"] < self.metrics["loss"])

    def state_dict(self) -> dict[str, Any]:
        """The state for a checkpoint: `weights` and `metrics`."""
        return {"weights": self.weights, "metrics": self.metrics}

    def load_state_dict(self, state: Mapping[str, Any], model: nn.Module) -> None:
        """Resume from a state that `state_dict` returned.

        Args:
            state: the state; `resuming.load_progress` checks its metrics.
            model: the model that the weights must fit.

        Raises:
            ValueError: they do not.
        """
        self.weights, self.metrics = state["weights"], state["metrics"]
        shapes = {name: each.shape for name, each in self.weights.items()}
        if self.metrics and shapes != {name: each.shape for name, each in model.state_dict().items()}:
            raise ValueError("its best weights are those of another model")
