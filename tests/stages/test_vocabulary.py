from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.stages.prepared import make_run, prepare, shards


def test_only_the_reviews_that_train_are_counted(sample: Path, tmp_path: Path) -> None:
    paths = sample / "train.ft.txt.bz2", sample / "test.ft.txt.bz2"
    half: dict[str, Any] = {
        "split": {"fraction": 0.5},
        "vocabulary": {"min_count": 1, "max_size": 0},
        "ingest": {"train_lines": 200},
    }
    prepare(make_run(*paths, tmp_path, "quick", **half))
    words = pq.read_table(tmp_path / "vocabulary.parquet").to_pydict()
    expected = Counter(chain(*shards(tmp_path, "train")[2]))
    assert dict(zip(words["id"], words["count"], strict=True)) == {0: 0, 1: 0, **expected}
    assert 1 not in expected, "with min_count 1 every training word has an id"
    assert 1 in Counter(chain(*shards(tmp_path, "validation")[2])), "validation does not contribute words"


def test_min_count_and_max_size_limit_the_words(sample: Path, tmp_path: Path) -> None:
    paths = sample / "train.ft.txt.bz2", sample / "test.ft.txt.bz2"

    def words(**vocabulary: int) -> list[tuple[str, int]]:
        prepare(make_run(*paths, tmp_path, "quick", vocabulary=vocabulary))
        table = pq.read_table(tmp_path / "vocabulary.parquet").to_pydict()
        return list(zip(table["token"], table["count"], strict=True))

    special, *every = words(min_count=1, max_size=0)[1:]
    assert special == ("_UNK", 0)
    assert words(min_count=3, max_size=0)[2:] == [(word, count) for word, count in every if count >= 3]
    assert words(min_count=1, max_size=50)[2:] == every[:50]
