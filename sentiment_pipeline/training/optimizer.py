"""The optimizer and its learning rate.

The learning rate is a function of the step alone, so there is no scheduler whose state could be lost or saved wrongly.
"""

import copy
import math

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.swa_utils import get_ema_multi_avg_fn

from sentiment_pipeline.training.config import TrainingConfig
from sentiment_pipeline.training.model import Scorer

MOMENTUM = 0.9  # and Adam's beta 1
ONE_CYCLE = (0.95, 0.85)  # momentum at the ends and at the top of the cycle (Smith, 2018)
ONE_CYCLE_START, ONE_CYCLE_END = 1 / 25, 1e-4  # learning rate there, as a share of the highest


def build_optimizer(model: nn.Module, config: TrainingConfig) -> Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019), or gradient descent with momentum.

    Only matrices decay: not biases, and not word vectors, whose words would be forgotten between two uses.
    """
    tables = {id(each.weight) for each in model.modules() if isinstance(each, nn.Embedding)}
    weights = [each for each in model.parameters() if each.requires_grad]
    decayed = [each for each in weights if each.ndim > 1 and id(each) not in tables]
    others = [each for each in weights if each.ndim == 1 or id(each) in tables]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if config.optimizer == "sgd":
        return SGD(groups, lr=config.learning_rate, momentum=MOMENTUM, fused=True)
    return AdamW(groups, lr=config.learning_rate, betas=(MOMENTUM, config.beta2), fused=True)


def set_step(optimizer: Optimizer, config: TrainingConfig, step: int, steps: int) -> float:
    """Give the optimizer the learning rate, and momentum, of step `step` of `steps`; returns the learning rate."""
    rate = config.learning_rate * rate_share(config, step, steps)
    for group in optimizer.param_groups:
        group["lr"] = rate
        if config.schedule == "one_cycle":
            momentum = cosine(*ONE_CYCLE, cycle_height(config.warmup, step, steps))
            if config.optimizer == "sgd":
                group["momentum"] = momentum
            else:
                group["betas"] = (momentum, group["betas"][1])
    return rate


def rate_share(config: TrainingConfig, step: int, steps: int) -> float:
    """The learning rate of a step as a share of the highest."""
    done, warmup = (step + 1) / steps, config.warmup
    left = (1 - done) / (1 - warmup) if warmup < 1 else 1.0  # 1 after the warm-up, 0 at the end
    if config.schedule == "one_cycle":
        low = ONE_CYCLE_START if done < warmup else ONE_CYCLE_END
        return cosine(low, 1.0, cycle_height(warmup, step, steps))
    if done < warmup:
        return done / warmup
    if config.schedule == "linear":
        return left
    return 0.5 - 0.5 * math.cos(math.pi * left) if config.schedule == "cosine" else 1.0


def cycle_height(warmup: float, step: int, steps: int) -> float:
    """Where a step is in one cycle: from 0 up to 1 in the warm-up, then down to 0."""
    done = (step + 1) / steps
    return done / warmup if done < warmup else (1 - done) / (1 - warmup) if warmup < 1 else 1.0


def cosine(low: float, high: float, height: float) -> float:
    """From `low` to `high` along half a cosine."""
    return low + (high - low) * (0.5 - 0.5 * math.cos(math.pi * height))


class Average:
    """A moving average of the weights, which generalizes better than the last ones (Polyak and Juditsky, 1992).

    Its decay rises from 0.1 to the one asked for, so that the first weights are soon forgotten.

    Attributes:
        model: a copy of the model with the averaged weights.
    """

    def __init__(self, model: Scorer, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.weights, self.source = list(self.model.parameters()), list(model.parameters())

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights that step `step` made."""
        decay = min(self.decay, (1 + step) / (10 + step))
        get_ema_multi_avg_fn(decay)(self.weights, self.source, step)
