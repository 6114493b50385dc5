from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.stages.encode import part_name, require_prepared
from sentiment_pipeline.stages.parts import parts
from tests.stages.prepared import make_run, prepare, shards


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    """Files of 40 training and 20 test reviews, whose texts are their numbers in words."""

    def write(name: str, count: int) -> Path:
        path = tmp_path / f"{name}.txt"
        path.write_text("".join(f"__label__{n % 2 + 1} review {name} {'x' * (n + 1)}\n" for n in range(count)))
        return path

    return write("train", 40), write("test", 20)


def test_shards_are_numbered_by_split_and_hold_the_reviews_in_order(paths: tuple[Path, Path], tmp_path: Path) -> None:
    run = make_run(*paths, tmp_path / "data", "tutorial", shard_bytes=400)
    prepare(run)
    found = parts(run, "test")
    assert len(found) > 1
    for split, first, last in (("train", 0, 40), ("validation", 0, 10), ("test", 10, 20)):
        files = sorted((run.data_dir / "shards" / split).iterdir())
        assert [path.name for path in files] == [f"part-{n:05d}.parquet" for n in range(len(files))]
        labels, texts, _ = shards(run.data_dir, split)
        assert labels == [n % 2 for n in range(first, last)]
        assert [text.count("x") for text in texts] == [n + 1 for n in range(first, last)]
    facts = [run.manifest(part_name(part)).facts for part in found]
    assert sum(each.get("validation", {}).get("reviews", 0) for each in facts) == 10
    assert all(each["reviews"] == part.reviews for each, part in zip(facts, found, strict=True))


def test_a_split_without_reviews_is_packed_empty(paths: tuple[Path, Path], tmp_path: Path) -> None:
    run = make_run(*paths, tmp_path / "data", "quick", split={"fraction": 1e-9})
    prepare(run)
    assert shards(run.data_dir, "validation") == ([], [], [])
    assert run.manifest("encode/packed/validation").facts["reviews"] == 0
    assert pq.read_table(run.data_dir / "shards/train/part-00000.parquet").num_rows == 40


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cleaning": {"html_breaks": True}}, r"cleaning\.html_breaks: False -> True"),
        ({"ingest": {"test_lines": 7}}, r"ingest\.test_lines: 200000 -> 7"),
        ({"vocabulary": {"min_count": 7}}, r"vocabulary\.min_count: 2 -> 7"),
        ({"split": {"seed": 7}}, r"split\.seed: 0 -> 7"),
    ],
)
def test_training_files_of_other_settings_are_refused(
    paths: tuple[Path, Path], tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    run = make_run(*paths, tmp_path / "data", "tutorial")
    require_prepared(run)  # nothing is prepared yet, so nothing contradicts
    prepare(run)
    require_prepared(run)
    require_prepared(make_run(*paths, tmp_path / "data", "tutorial", training={"epochs": 9}))
    with pytest.raises(PipelineError, match=message):
        require_prepared(make_run(*paths, tmp_path / "data", "tutorial", **changes))
