"""One process alone; several of them are in test_launch.py."""

import torch
from torch import nn

from sentiment_pipeline.training.distributed import Ranks, join_ranks


def test_without_torchrun_a_process_is_alone() -> None:
    with join_ranks(torch.device("cpu")) as ranks:
        assert ranks == Ranks(0, 1)
        assert ranks.is_first


def test_alone_there_is_nothing_to_exchange() -> None:
    ranks, model, values = Ranks(0, 1), nn.BatchNorm1d(2), torch.tensor([1.0, 2.0])
    assert ranks.all_reduce(values).tolist() == [1.0, 2.0]
    assert ranks.data_parallel(model) is model
    ranks.broadcast_buffers(model)
    ranks.barrier()
