from collections.abc import Callable
from pathlib import Path

import pytest

from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import tokenize
from tests.folders import contents
from tests.stages.prepared import make_run, prepare


@pytest.fixture(scope="module")
def few(sample: Path) -> Callable[[Path], Run[Settings]]:
    """Makes a run over 300 reviews in several shards."""
    paths = sample / "train.ft.txt.bz2", sample / "test.ft.txt.bz2"
    limits = {"train_lines": 250, "test_lines": 50}
    return lambda data_dir: make_run(*paths, data_dir, "quick", shard_bytes=20_000, ingest=limits)


def test_the_number_of_parts_follows_from_the_shards_and_changes_no_result(
    few: Callable[[Path], Run[Settings]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, many = few(tmp_path / "one"), few(tmp_path / "many")
    prepare(one)
    sizes = tokenize.merged_sizes(one)
    assert tokenize.merged_names(one) == ["tokenize/merged/part-000", "tokenize/merged/part-001"]

    monkeypatch.setattr(tokenize, "_ROWS_PER_PAIR", 1_000)
    prepare(many)
    assert len(tokenize.merged_names(many)) > 4
    assert sum(tokenize.merged_sizes(many)) == sum(sizes)
    results = [
        {name: digest for name, digest in contents(run.data_dir).items() if name.startswith(("shards", "packed"))}
        for run in (one, many)
    ]
    assert len(results[0]) > 12
    assert results[0] == results[1]
    assert (one.data_dir / "vocabulary.parquet").read_bytes() == (many.data_dir / "vocabulary.parquet").read_bytes()
