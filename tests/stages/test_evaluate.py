import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.stages.evaluate import _test_texts
from sentiment_pipeline.stages.pipeline import EVALUATE, STAGES
from tests.conftest import MakeSettings
from tests.folders import run_here


def test_the_figures_are_those_of_the_test_set(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    confusion = metrics["test"]["confusion"]
    assert sum(map(sum, confusion)) == metrics["test"]["reviews"] == 150
    assert metrics["test"]["accuracy"] == (confusion[0][0] + confusion[1][1]) / 150
    assert metrics["prepare"]["reviews"] == 1500
    assert metrics["prepare"]["rejected"] == 0
    assert metrics["prepare"]["seconds"] > 0


@pytest.mark.parametrize(
    "change",
    [
        "model.pooling=last",
        "model.hidden=4",
        "training.seed=9",
        "vocabulary.unknown=_PAD",
        "vocabulary.min_count=9",
        "cleaning.html_breaks=false",
        "split.seed=5",
        "ingest.train_lines=100",
    ],
)
def test_evaluating_alone_refuses_settings_of_another_training(
    finished: Path, make_settings: MakeSettings, change: str
) -> None:
    model = (finished / "model" / "config.json").read_bytes()
    with pytest.raises(PipelineError, match=f"finished with other settings .*{change.partition('=')[0]}: "):
        run_here(make_settings(finished, change), EVALUATE)
    assert (finished / "model" / "config.json").read_bytes() == model


def test_the_report_shows_the_present_settings(finished: Path, make_settings: MakeSettings) -> None:
    chosen = make_settings(finished, "ingest.min_rejected_lines=77")
    assert run_here(chosen) == {"ingest", "evaluate", "publish"}
    assert "77" in (finished / "report.html").read_text()
    assert run_here(chosen) == set()


def test_texts_are_read_by_row(finished: Path) -> None:
    folder = finished / "shards" / "test"
    texts = [text for path in sorted(folder.glob("part-*.parquet")) for text in pq.read_table(path)["text"].to_pylist()]
    rows = [0, 3, 77, 149]
    assert list(_test_texts(finished, rows)) == [texts[row] for row in rows]


def test_damage_is_repaired_by_its_own_stage_alone(finished: Path, make_settings: MakeSettings) -> None:
    before = (finished / "metrics.json").read_bytes()
    (finished / "metrics.json").unlink()
    assert run_here(make_settings(finished), STAGES) == {"evaluate"}
    assert (finished / "metrics.json").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["rejected/train.parquet", "packed/train/lengths.npy", "shards/test/part-00000.parquet"]
)
def test_evaluating_alone_never_shows_damaged_data(finished: Path, make_settings: MakeSettings, name: str) -> None:
    content = bytearray((finished / name).read_bytes())
    content[len(content) // 2] ^= 1
    (finished / name).write_bytes(content)
    (finished / "report.html").unlink()
    with pytest.raises(PipelineError, match=f"{name}: damaged"):
        run_here(make_settings(finished), EVALUATE)
    assert run_here(make_settings(finished), STAGES) <= {"ingest", "encode", "evaluate", "publish"}
    assert (finished / "report.html").exists()


def test_evaluating_alone_needs_only_what_was_copied(finished: Path, make_settings: MakeSettings) -> None:
    for name in ("rejected/train.parquet", "shards/test/part-00000.parquet", "report.html"):
        (finished / name).unlink()
    assert run_here(make_settings(finished), EVALUATE) == {"evaluate"}
    assert (finished / "report.html").exists()
