"""The optimizer and its learning rate.

The learning rate is a function of the training step alone, so there is no scheduler whose state could be lost or saved
wrongly.
"""

import math

from torch import nn
from torch.optim import AdamW, Optimizer

from sentiment_pipeline.training.config import TrainingConfig

__all__ = ["build_optimizer", "rate_factor", "set_learning_rate"]

_BETA1 = 0.9


def build_optimizer(model: nn.Module, config: TrainingConfig) -> Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019).

    Only matrices decay: not biases, and not word vectors, which would fade between two uses of a word.
    """
    tables = {id(each.weight) for each in model.modules() if isinstance(each, nn.Embedding)}
    weights = [each for each in model.parameters() if each.requires_grad]
    decayed = [each for each in weights if each.ndim > 1 and id(each) not in tables]
    others = [each for each in weights if each.ndim == 1 or id(each) in tables]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return AdamW(groups, lr=config.learning_rate, betas=(_BETA1, config.beta2), fused=True)


def set_learning_rate(optimizer: Optimizer, config: TrainingConfig, step: int, steps: int) -> None:
    """Give the optimizer the learning rate of training step `step` of `steps`."""
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * rate_factor(config, step, steps)


def rate_factor(config: TrainingConfig, step: int, steps: int) -> float:
    """The learning rate of a training step as a fraction of the highest one."""
    done, warmup = (step + 1) / steps, config.warmup
    if done < warmup:
        return done / warmup
    if config.schedule == "constant":
        return 1.0
    left = (1 - done) / (1 - warmup) if warmup < 1 else 1.0  # 1 after the warm-up, 0 at the end
    return 0.5 - 0.5 * math.cos(math.pi * left)
