from dataclasses import replace
from itertools import islice
from multiprocessing import popen_fork
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sentiment_pipeline.data import loader as loader_module
from sentiment_pipeline.data.batches import Batch
from sentiment_pipeline.data.loader import Loader
from sentiment_pipeline.data.packed import PackedReviews, open_packed
from sentiment_pipeline.data.truncation import Truncation
from sentiment_pipeline.errors import PipelineError
from tests.data.test_batches import plain_column
from tests.training.examples import VOCABULARY, write_packed

TRUNCATION = Truncation(20, 5, "right")


@pytest.fixture
def reviews(tmp_path: Path) -> PackedReviews:
    return open_packed(write_packed(tmp_path, 203, seed=5), VOCABULARY)


def make_loader(reviews: PackedReviews, workers: int = 0, rank: int = 0, ranks: int = 1) -> Loader:
    return Loader(reviews, TRUNCATION, 20, seed=1, epochs=3, workers=workers, pin=False, rank=rank, ranks=ranks)


def contents(loaded: list[Batch]) -> list[list[list[int]]]:
    return [
        [batch.ids.tolist(), batch.lengths.tolist(), batch.labels.tolist(), batch.rows.tolist()] for batch in loaded
    ]


def test_batches_hold_their_reviews(reviews: PackedReviews) -> None:
    for batch in make_loader(reviews):
        assert batch.buffer.dtype == torch.int32
        assert batch.ids.shape == (batch.time, batch.reviews)
        assert batch.tokens == batch.lengths.sum()
        for column, row in enumerate(batch.rows.tolist()):
            ids = reviews.ids[reviews.offsets[row] : reviews.offsets[row + 1]].tolist()
            assert batch.ids[:, column].tolist() == plain_column(ids, TRUNCATION, batch.time)
            assert batch.labels[column] == reviews.labels[row]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_nothing(reviews: PackedReviews, workers: int) -> None:
    assert contents(list(make_loader(reviews, workers))) == contents(list(make_loader(reviews)))


def test_no_worker_is_forked(reviews: PackedReviews, monkeypatch: pytest.MonkeyPatch) -> None:
    def forked(*arguments: object) -> None:
        raise AssertionError("forked")

    monkeypatch.setattr(popen_fork.Popen, "_launch", forked)
    assert len(next(iter(make_loader(reviews, workers=1))).rows) == 20


@pytest.mark.parametrize("ranks", [2, 4])
def test_the_processes_parts_make_the_same_global_batches(reviews: PackedReviews, ranks: int) -> None:
    alone = [batch.rows.tolist() for batch in make_loader(reviews)]
    parts = [list(make_loader(reviews, rank=rank, ranks=ranks)) for rank in range(ranks)]
    for number, rows in enumerate(alone):
        together = [part[number] for part in parts]
        assert [batch.rows.tolist() for batch in together] == [rows[rank::ranks] for rank in range(ranks)]
        assert {batch.total for batch in together} == {len(rows)}


@pytest.mark.parametrize(("done", "workers"), [(0, 0), (1, 0), (7, 0), (10, 0), (11, 2), (12, 0), (22, 0), (32, 0)])
def test_it_resumes_at_the_very_next_batch(reviews: PackedReviews, done: int, workers: int) -> None:
    everything = contents(list(make_loader(reviews)))
    assert len(everything) == 33
    loader = make_loader(reviews, workers)
    loaded = iter(loader)
    assert contents([next(loaded) for _ in range(done)]) == everything[:done]
    state = loader.state_dict()
    for _ in range(2):  # twice in a row, with another number of workers
        loader = make_loader(reviews)
        loader.load_state_dict(state)
        assert loader.state_dict() == state
    assert contents(list(loader)) == everything[done:]


def test_resuming_assembles_no_batch_that_is_skipped(reviews: PackedReviews, monkeypatch: pytest.MonkeyPatch) -> None:
    assembled, assemble = [0], loader_module.assemble

    def counted(*arguments: Any) -> Batch:
        assembled[0] += 1
        return assemble(*arguments)

    monkeypatch.setattr(loader_module, "assemble", counted)
    loader = make_loader(reviews)
    loader.load_state_dict({"epoch": 1, "batch": 5})
    next(iter(loader))
    assert assembled == [1]


def test_a_process_can_be_left_without_a_part(reviews: PackedReviews) -> None:
    few = replace(reviews, offsets=reviews.offsets[:3], labels=reviews.labels[:2], lengths=reviews.lengths[:2])
    (batch,) = Loader(few, TRUNCATION, 20, 1, 1, 0, False, rank=3, ranks=4)
    assert (batch.reviews, batch.total, batch.ids.shape) == (0, 2, (1, 0))


def test_left_padding_leaves_the_order_random(tmp_path: Path) -> None:
    reviews = open_packed(write_packed(tmp_path, 2000, seed=5), VOCABULARY)
    spread = [
        np.std(reviews.lengths[batch.rows.numpy()])
        for batch in Loader(reviews, Truncation(20, 5, "left"), 50, 1, 1, 0, False)
    ]
    assert min(spread) > 5


def test_a_batch_of_a_loader_process_takes_no_shared_memory(reviews: PackedReviews) -> None:
    batch = next(iter(make_loader(reviews)))
    pickled = ForkingPickler.dumps(batch)
    assert len(pickled) > batch.buffer.nbytes  # the numbers themselves, not the name of a file in /dev/shm
    again = ForkingPickler.loads(pickled)
    assert contents([again]) == contents([batch])


def test_processes_that_end_early_are_no_end_of_the_batches(
    reviews: PackedReviews, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader_module, "DataLoader", lambda stream, **options: islice(stream, 5))
    with pytest.raises(PipelineError, match=r"ended before the last batch.*runtime\.loader_workers"):
        list(make_loader(reviews))
