"""Several training processes, each with its part of every batch, as `torchrun` starts them.

A process learns its number from torchrun's environment variables; without them it is alone and nothing here does
anything.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

__all__ = ["Ranks", "join_ranks"]


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this one is."""

    rank: int
    size: int

    @property
    def first(self) -> bool:
        """Whether this process writes the files and reports the figures."""
        return self.rank == 0

    def total(self, values: Tensor) -> Tensor:
        """`values` summed over all processes."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def parallel(self, model: nn.Module) -> nn.Module:
        """The model, averaging its gradients over all processes."""
        if self.size == 1:
            return model
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # later names of the argument are unknown to earlier torch
            return DistributedDataParallel(model, broadcast_buffers=False)

    def equalize(self, module: nn.Module) -> None:
        """Give all processes the first one's buffers."""
        if self.size > 1:
            for buffer in module.buffers():
                dist.broadcast(buffer, 0)

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def join_ranks(device: torch.device) -> Iterator[Ranks]:
    """The processes that torchrun started: NCCL between GPUs, Gloo between CPUs; this one alone without torchrun."""
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        yield Ranks(0, 1)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()
