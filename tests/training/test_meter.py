import time

import pytest
import torch
from torch import Tensor

from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.meter import Meter


class Doubled(Ranks):
    """Two processes with equal values."""

    def all_reduce(self, values: Tensor) -> Tensor:
        return values * 2


def counted(ranks: Ranks) -> Meter:
    meter = Meter(torch.device("cpu"), ranks)
    meter.add(torch.tensor(6.0), torch.tensor(3), torch.tensor(1.0), reviews=4 * ranks.size, tokens=40)
    meter.add(torch.tensor(2.0), torch.tensor(4), torch.tensor(2.0), reviews=4 * ranks.size, tokens=20)
    return meter


@pytest.mark.parametrize("ranks", [Ranks(0, 1), Doubled(0, 2)])
def test_figures_are_means_over_the_steps(ranks: Ranks) -> None:
    meter = counted(ranks)
    time.sleep(0.05)
    assert meter.totals() == [8 * ranks.size, 7 * ranks.size, 3 * ranks.size, 60 * ranks.size]
    figures = meter.figures(meter.totals())
    assert figures["loss"] == pytest.approx(1.0)
    assert figures["accuracy"] == pytest.approx(7 / 8)
    assert figures["gradient_norm"] == pytest.approx(1.5)
    assert figures["reviews_per_s"] == pytest.approx(8 * ranks.size / meter.seconds)
    assert figures["tokens_per_s"] == pytest.approx(60 * ranks.size / meter.seconds)
    assert meter.seconds >= 0.05


def test_pauses_are_not_counted() -> None:
    meter = Meter(torch.device("cpu"), Ranks(0, 1))
    with meter.paused():
        time.sleep(0.2)
    meter._stop_clock()
    assert meter.seconds < 0.1


def test_waiting_is_a_fraction_of_the_time() -> None:
    meter = counted(Ranks(0, 1))
    time.sleep(0.05)
    meter.waited = 0.02
    assert meter.figures(meter.totals())["data_wait"] == pytest.approx(0.02 / meter.seconds)
