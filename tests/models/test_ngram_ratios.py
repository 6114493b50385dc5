import doctest

import torch
from torch import Tensor

from sentiment_pipeline.models import ngram_ratios
from sentiment_pipeline.models.ngram_ratios import distinct_buckets, hash_ngrams


def column(ids: list[int]) -> tuple[Tensor, Tensor]:
    return torch.tensor(ids, dtype=torch.int64)[:, None], torch.arange(len(ids))[:, None]


def test_padding_on_either_side_changes_nothing() -> None:
    ids = torch.tensor([[5], [6], [5], [9]])
    plain = hash_ngrams(ids, torch.arange(4)[:, None], 3, 1000)
    padded = torch.cat([torch.zeros(3, 1, dtype=torch.int64), ids])
    left = hash_ngrams(padded, torch.arange(-3, 4)[:, None], 3, 1000)
    assert torch.equal(left[3:], plain)
    assert not left[:3].any()
    right = hash_ngrams(torch.cat([ids, ids]), torch.arange(8)[:, None], 3, 1000)
    assert torch.equal(right[:4], plain)


def test_n_grams_depend_on_their_words_and_order() -> None:
    def last(*ids: int) -> list[int]:
        return [int(each) for each in hash_ngrams(*column(list(ids)), 3, 1 << 40)[-1, 0]]

    assert last(1, 2, 3) == last(9, 1, 2, 3)
    assert last(1, 2, 3)[1:] != last(3, 2, 1)[1:]
    assert last(4, 2, 3)[1] == last(1, 2, 3)[1]
    assert last(4, 2, 3)[2] != last(1, 2, 3)[2]
    assert len(set(last(7, 7, 7))) == 3


def test_distinct_keeps_each_bucket_once_a_row() -> None:
    kept = distinct_buckets(torch.tensor([[5, 2, 5, 0, 2, 5], [1, 2, 3, 4, 5, 6], [0, 0, 7, 7, 7, 7]]))
    assert [sorted(each for each in row if each) for row in kept.tolist()] == [[2, 5], [1, 2, 3, 4, 5, 6], [7]]


def test_the_example_in_the_docstring() -> None:
    assert doctest.testmod(ngram_ratios) == (0, 1)
