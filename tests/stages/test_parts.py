from pathlib import Path

import pytest

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.stages import ingest
from sentiment_pipeline.stages.parts import Part, input_facts, parts
from tests.stages.prepared import make_run, prepare
from tests.stages.test_ingest import reviews, write


def test_names_of_a_part() -> None:
    part = Part("train", "5f2b6f0a91c3", 3, 0, 1, 80, "ingest/train/5f2b6f0a91c3/part-00003")
    assert part.name == "train/5f2b6f0a91c3/part-00003"
    assert part.table == "ingest/train/5f2b6f0a91c3/part-00003.parquet"


def test_parts_are_those_of_all_files_in_order(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{name}.txt", reviews(count)) for name, count in (("b", 30), ("a", 50), ("test", 10))]
    run = make_run(files[:2], files[2], tmp_path / "data")
    with pytest.raises(PipelineError, match="ingest/train/total is not finished"):
        parts(run)
    prepare(run, [ingest.STAGE])
    assert [(part.source, part.first, part.reviews) for part in parts(run)] == [
        ("train", 0, 30),
        ("train", 30, 50),
        ("test", 0, 10),
    ]
    assert [part.source for part in parts(run, "test")] == ["test"]
    assert [file["name"] for file in input_facts(run, "train")] == ["b.txt", "a.txt"]
    assert input_facts(run, "test")[0]["bytes"] == files[2].stat().st_size
