import pytest
import torch
from torch import Tensor

from sentiment_pipeline.models.pooling import Pooling

OUTPUTS, LENGTHS = torch.randn(6, 4, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([6, 1, 0, 3])


def plainly(kind: str, words: Tensor, pooling: Pooling) -> Tensor:
    """The pooled vector of one review's words, [time, 8]."""
    if not len(words):
        return torch.zeros(pooling.size)
    if kind == "last":
        return torch.cat([words[-1, :4], words[0, 4:]]) if pooling.bidirectional else words[-1]
    return torch.cat([words.max(0).values, words.mean(0)])


@pytest.mark.parametrize("kind", ["last", "max_mean"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_only_the_real_words_count(kind: str, bidirectional: bool) -> None:
    pooling = Pooling(kind, 8, bidirectional)
    pooled = pooling(OUTPUTS, LENGTHS)
    assert pooled.shape == (4, pooling.size)
    for review, length in enumerate(LENGTHS.tolist()):
        assert torch.allclose(pooled[review], plainly(kind, OUTPUTS[:length, review], pooling), atol=1e-6)


@pytest.mark.parametrize("kind", ["last", "max_mean"])
def test_gradients_reach_only_the_real_words(kind: str) -> None:
    outputs = OUTPUTS.clone().requires_grad_()
    Pooling(kind, 8, True)(outputs, LENGTHS).square().sum().backward()
    assert outputs.grad is not None
    real = torch.arange(6)[:, None] < LENGTHS
    assert not outputs.grad[~real].any()
    assert outputs.grad.isfinite().all()
    assert outputs.grad[:, 0].any()
