import torch

from sentiment_pipeline.models.linear_head import LinearHead
from sentiment_pipeline.models.ngram_ratios import hash_ngrams

BUCKETS = 5000


def column(*reviews: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    time = max(map(len, reviews))
    ids = [review + [0] * (time - len(review)) for review in reviews]
    return torch.tensor(ids).T, torch.tensor([len(review) for review in reviews])


def test_each_distinct_n_gram_counts_once() -> None:
    head = LinearHead(2, BUCKETS)
    head.weights.copy_(torch.randn(BUCKETS, 1))
    head.weights[0] = 0
    once, padded = head(*column([4, 5], [4, 5, 6, 7, 8]))[0], head(*column([4, 5], [9]))[0]
    assert torch.isclose(once, padded)
    unigram, bigram = hash_ngrams(torch.tensor([4, 4, 4]), torch.arange(3), 2, BUCKETS)[2]
    assert torch.allclose(head(*column([4, 4, 4, 4])), head.weights[unigram] + head.weights[bigram])
