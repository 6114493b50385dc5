import time

import pytest
import torch

from sentiment_pipeline.training.meter import Meter


def test_figures_are_means_over_the_steps_since_the_last_ones() -> None:
    meter = Meter(torch.device("cpu"))
    meter.add(torch.tensor(6.0), torch.tensor(3), torch.tensor(1.0), reviews=4, tokens=40)
    meter.add(torch.tensor(2.0), torch.tensor(4), torch.tensor(2.0), reviews=4, tokens=20)
    time.sleep(0.05)
    figures = meter.figures([*meter.sums.tolist(), float(meter.tokens)], ranks=1)
    assert figures["loss"] == pytest.approx(1.0)
    assert figures["accuracy"] == pytest.approx(7 / 8)
    assert figures["gradient_norm"] == pytest.approx(1.5)
    assert figures["reviews_per_s"] == pytest.approx(8 / meter.seconds)
    assert figures["tokens_per_s"] == pytest.approx(60 / meter.seconds)
    assert meter.seconds >= 0.05


def test_pauses_are_not_counted() -> None:
    meter = Meter(torch.device("cpu"))
    with meter.paused():
        time.sleep(0.2)
    meter._stop_clock()
    assert meter.seconds < 0.1
