from collections.abc import Mapping

import pytest
import torch

from sentiment_pipeline.data.packed import PackedReviews, open_packed
from sentiment_pipeline.models.linear_head import LinearHead
from sentiment_pipeline.models.ngram_ratios import NgramRatios
from sentiment_pipeline.training import evidence, linear
from sentiment_pipeline.training.distributed import Ranks
from tests.training.examples import VOCABULARY, model_config, training_config, write_packed

BUCKETS = 5000


def column(*reviews: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    time = max(map(len, reviews))
    ids = [review + [0] * (time - len(review)) for review in reviews]
    return torch.tensor(ids).T, torch.tensor([len(review) for review in reviews])


def accuracy(head: LinearHead, reviews: PackedReviews) -> float:
    right = 0
    for row in range(len(reviews)):
        ids = reviews.ids[reviews.offsets[row] : reviews.offsets[row + 1]].tolist()
        right += (bool(ids) and head(*column(ids)).item() > 0) == bool(reviews.labels[row])
    return right / len(reviews)


def test_each_distinct_n_gram_counts_once() -> None:
    head = LinearHead(2, BUCKETS)
    head.weights.copy_(torch.randn(BUCKETS, 1))
    head.weights[0] = 0
    once, padded = head(*column([4, 5], [4, 5, 6, 7, 8]))[0], head(*column([4, 5], [9]))[0]
    assert torch.isclose(once, padded)
    single = {
        size: evidence.hashed(*(each.T for each in (torch.tensor([[4, 4, 4]]), torch.arange(3)[None])), 2, BUCKETS)[
            2, 0, size - 1
        ]
        for size in (1, 2)
    }
    expected = head.weights[single[1]] + head.weights[single[2]]
    assert torch.allclose(head(*column([4, 4, 4, 4])), expected)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> PackedReviews:
    return open_packed(write_packed(tmp_path_factory.mktemp("packed"), 300, seed=0, longest=20), VOCABULARY)


def fitted(reviews: PackedReviews, epochs: int) -> LinearHead:
    ratios = NgramRatios(1, BUCKETS)
    evidence.fit(ratios, reviews, 3, Ranks(0, 1))
    head = LinearHead(1, BUCKETS)
    told: list[Mapping[str, float]] = []
    model, training = model_config(ngrams=1), training_config(linear_epochs=epochs)
    linear.fit(head, ratios.ratios, reviews, model, training, lambda: None, told.append)
    assert 0 < len(told) <= linear.TOLD
    return head


def test_it_learns(reviews: PackedReviews) -> None:
    head = fitted(reviews, epochs=20)
    assert accuracy(head, reviews) > 0.9
    assert (
        head.weights[
            evidence.hashed(*(each[:, None] for each in (torch.tensor([3]), torch.tensor([0]))), 1, BUCKETS).item()
        ]
        > 0
    )
    assert not head.weights[0]


def test_it_is_fitted_the_same_way_every_time(reviews: PackedReviews) -> None:
    one, other = fitted(reviews, 1), fitted(reviews, 1)
    assert torch.equal(one.weights, other.weights)
    assert torch.equal(one.bias, other.bias)


def test_a_check_can_end_the_fit(reviews: PackedReviews) -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        linear.fit(
            LinearHead(1, BUCKETS),
            torch.zeros(BUCKETS),
            reviews,
            model_config(),
            training_config(),
            stop,
            lambda figures: None,
        )
