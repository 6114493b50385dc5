"""Several training processes, each with its part of every batch, as torchrun starts them.

A process learns its rank from torchrun's environment variables. Without them it trains alone, and the functions here
do nothing.
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
    """The rank of this process among the processes that train together.

    All processes must call the same methods in the same order.

    Attributes:
        rank: index of this process.
        size: number of processes.
    """

    rank: int
    size: int

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files and reports the figures."""
        return self.rank == 0

    def all_reduce(self, values: Tensor) -> Tensor:
        """`values` summed over all processes; in place."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def data_parallel(self, model: nn.Module) -> nn.Module:
        """The model, averaging its gradients over all processes."""
        if self.size == 1:
            return model
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # the argument's new name is unknown to earlier versions
            return DistributedDataParallel(model, broadcast_buffers=False)

    def broadcast_buffers(self, module: nn.Module) -> None:
        """Copy the first process's buffers of a module to all processes."""
        if self.size > 1:
            for buffer in module.buffers():
                dist.broadcast(buffer, 0)

    def barrier(self) -> None:
        """Wait until every process has called this."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def join_ranks(device: torch.device) -> Iterator[Ranks]:
    """A context in which this process trains together with the others that torchrun started, or alone without torchrun.

    Args:
        device: this process's device; GPUs communicate by NCCL, CPUs by Gloo.
    """
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
