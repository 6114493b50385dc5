import pytest
import torch

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.models import precision
from sentiment_pipeline.models.precision import autocast, choose_device, choose_dtype
from tests.training.examples import needs_bf16

CPU = torch.device("cpu")


@pytest.mark.parametrize(("has_bf16", "chosen"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_is_bf16_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, has_bf16: bool, chosen: torch.dtype
) -> None:
    monkeypatch.setattr(precision, "_cpu_computes_bf16", lambda: has_bf16)
    assert choose_dtype("auto", CPU) == chosen
    assert choose_dtype("fp32", CPU) == torch.float32


def test_bf16_is_refused_where_the_processor_cannot_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_supports_bf16", lambda: True)
    assert choose_dtype("bf16", CPU) == torch.bfloat16
    monkeypatch.setattr(precision, "cpu_supports_bf16", lambda: False)
    with pytest.raises(SettingsError, match=r"training\.precision is bf16, which needs"):
        choose_dtype("bf16", CPU)


@pytest.mark.parametrize("dtype", [torch.float32, pytest.param(torch.bfloat16, marks=needs_bf16)])
def test_autocast_computes_products_in_the_dtype(dtype: torch.dtype) -> None:
    layer, inputs = torch.nn.LSTM(4, 4), torch.randn(3, 2, 4)
    with autocast(CPU, dtype):
        assert layer(inputs)[0].dtype == dtype


def test_the_cpu_can_be_asked_for() -> None:
    assert choose_device("cpu") == CPU
