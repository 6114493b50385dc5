"""The optimizer: AdamW with a learning rate schedule, gradient clipping and, in fp16, loss scaling.

The learning rate is a function of the training step alone, so no scheduler has a state that could be lost or saved
wrongly.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW

from sentiment_pipeline.training.config import TrainingConfig
from sentiment_pipeline.training.resuming import load_optimizer

__all__ = ["ScheduledOptimizer"]

_BETA1 = 0.9


class ScheduledOptimizer:
    """What a training step does to the weights of a model.

    Args:
        model: the model whose parameters are trained.
        config: learning rate, schedule, weight decay and clipping.
        steps: number of training steps of the whole run.
        device: the model's device.
        dtype: dtype of the matrix products; float16 needs loss scaling.
    """

    def __init__(
        self, model: nn.Module, config: TrainingConfig, steps: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.model, self.config, self.steps = model, config, steps
        self.adamw = _build_adamw(model, config)
        self.scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the last step."""
        return float(self.adamw.param_groups[0]["lr"])

    def step(self, loss: Tensor, step: int) -> Tensor:
        """Compute the gradients of a loss and update the weights.

        Args:
            loss: scalar.
            step: index of the training step.

        Returns:
            The norm of the gradient before clipping, a scalar on the device; 0 if it overflowed in fp16, in which case
            the weights are not updated.
        """
        for group in self.adamw.param_groups:
            group["lr"] = self.config.learning_rate * _rate_factor(self.config, step, self.steps)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.adamw)
        norm = clip_grad_norm_(self.model.parameters(), self.config.clip_norm or math.inf)
        self.scaler.step(self.adamw)
        self.scaler.update()
        self.adamw.zero_grad(set_to_none=True)
        return norm.nan_to_num(0.0, 0.0) if self.scaler.is_enabled() else norm

    def state_dict(self) -> dict[str, Any]:
        """The states of AdamW and of the loss scaling: `adamw` and `scaler`."""
        return {"adamw": self.adamw.state_dict(), "scaler": self.scaler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from a state that `state_dict` returned.

        Raises:
            ValueError: it is the state of another optimizer.
        """
        load_optimizer(self.adamw, state["adamw"])
        self.scaler.load_state_dict(state["scaler"])


def _build_adamw(model: nn.Module, config: TrainingConfig) -> AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019).

    Only matrices decay: not biases, and not word vectors, which would fade between two occurrences of a word.
    """
    embeddings = {id(each.weight) for each in model.modules() if isinstance(each, nn.Embedding)}
    weights = [each for each in model.parameters() if each.requires_grad]
    decayed = [each for each in weights if each.ndim > 1 and id(each) not in embeddings]
    others = [each for each in weights if each.ndim == 1 or id(each) in embeddings]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return AdamW(groups, lr=config.learning_rate, betas=(_BETA1, config.beta2), fused=True)


def _rate_factor(config: TrainingConfig, step: int, steps: int) -> float:
    """The learning rate of a training step as a fraction of the peak learning rate."""
    done, warmup = (step + 1) / steps, config.warmup
    if done < warmup:
        return done / warmup
    if config.schedule == "constant":
        return 1.0
    left = (1 - done) / (1 - warmup) if warmup < 1 else 1.0  # 1 after the warm-up, 0 at the end
    return 0.5 - 0.5 * math.cos(math.pi * left)
