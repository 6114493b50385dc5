import bz2
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import Run, run_stage
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.inputs.lines import NO_LABEL
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import ingest
from sentiment_pipeline.stages.parts import parts
from tests.stages.prepared import make_run, prepare


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture
def test_file(tmp_path: Path) -> Path:
    return write(tmp_path / "test.txt", ["__label__1 x", "__label__2 y"])


def reviews(count: int, bad: tuple[int, ...] = ()) -> list[str]:
    """Numbered lines of both classes, some of them (1-based) without a label."""
    return [
        "no label" if number in bad else f"__label__{1 + number // 2 % 2} review number {number:05d}"
        for number in range(1, count + 1)
    ]


def texts(run: Run[Settings], source: str) -> list[str]:
    paths = [run.data_dir / part.table for part in parts(run, source)]
    return [text for path in paths for text in pq.read_table(path)["text"].to_pylist()]


def test_parts_hold_all_reviews_in_order(tmp_path: Path, test_file: Path) -> None:
    train = write(tmp_path / "train.txt", reviews(1000, (2, 700)))
    run = make_run(train, test_file, tmp_path / "data", shard_bytes=5_000)
    prepare(run, [ingest.STAGE])
    assert len(texts(run, "train")) == 998
    found = parts(run, "train")
    assert sum(part.reviews for part in found) == 998
    assert [part.first for part in found] == [sum(each.reviews for each in found[:n]) for n in range(len(found))]
    assert pq.read_table(run.data_dir / "rejected/train.parquet").to_pylist() == [
        {"file": "train.txt", "line": line, "reason": NO_LABEL, "raw": b"no label"} for line in (2, 700)
    ]
    assert run.manifest("ingest/train/total").facts["lines"] == 1000


@pytest.mark.parametrize("limit", [3, 150, 499, 500, 999, 5_000])
def test_a_limit_on_lines_counts_lines_and_reads_little_more(tmp_path: Path, test_file: Path, limit: int) -> None:
    train = write(tmp_path / "train.txt", reviews(1000, (2, 700)))
    run = make_run(train, test_file, tmp_path / "data", shard_bytes=2_000, ingest={"train_lines": limit})
    done = prepare(run, [ingest.STAGE])
    lines = min(limit, 1000)
    facts = run.manifest("ingest/train/total").facts
    assert (facts["lines"], facts["rejected"]) == (lines, sum(bad <= lines for bad in (2, 700)))
    assert sum(part["reviews"] for part in facts["parts"]) == facts["reviews"] == facts["lines"] - facts["rejected"]
    needed = len(facts["parts"])
    assert sum("ingest/train" in name and "part" in name for name in done) <= needed + 2
    assert needed <= lines // 60 + 2


def test_too_many_bad_lines_stop_the_run(tmp_path: Path, test_file: Path) -> None:
    run = make_run(write(tmp_path / "train.txt", reviews(1000, tuple(range(3, 160)))), test_file, tmp_path / "data")
    with pytest.raises(
        PipelineError, match=r"157 of 1,000 lines rejected .* line 3: .*max_rejected_fraction, which is 0.01"
    ):
        prepare(run, [ingest.STAGE])
    run = make_run(run.settings.train, test_file, tmp_path / "data", ingest={"max_rejected_fraction": 0.2})
    assert prepare(run, [ingest.STAGE]) == ["ingest/train/total", "ingest/test/total"]


def test_a_file_without_reviews_is_an_error(tmp_path: Path, test_file: Path) -> None:
    run = make_run(write(tmp_path / "train.txt", ["nothing"]), test_file, tmp_path / "data")
    with pytest.raises(PipelineError, match="holds no labelled review"):
        prepare(run, [ingest.STAGE])


def test_a_missing_input_is_an_error_of_the_settings(tmp_path: Path, test_file: Path) -> None:
    run = make_run(None, test_file, tmp_path / "data")
    with pytest.raises(SettingsError, match="--train FILE"):
        prepare(run, [ingest.STAGE])


def test_a_file_that_changes_between_plan_and_work_is_refused(tmp_path: Path, test_file: Path) -> None:
    run = make_run(write(tmp_path / "train.txt", reviews(10)), test_file, tmp_path / "data")
    steps = next(iter(ingest.STAGE.plan(run)))
    write(tmp_path / "train.txt", reviews(11))
    with pytest.raises(PipelineError, match="was changed while it was read"):
        steps[0].work(run.data_dir, print, **steps[0].arguments)


def test_a_changed_file_is_read_again(tmp_path: Path, test_file: Path) -> None:
    run = make_run(write(tmp_path / "train.txt", reviews(10)), test_file, tmp_path / "data")
    prepare(run, [ingest.STAGE])
    assert prepare(run, [ingest.STAGE]) == []
    write(tmp_path / "train.txt", reviews(11))
    assert [name.split("/")[-1] for name in prepare(run, [ingest.STAGE])] == ["part-00000", "total"]
    assert len(texts(run, "train")) == 11


def test_damage_is_named_by_file_and_byte(tmp_path: Path, test_file: Path) -> None:
    data = bytearray(bz2.compress("".join(f"{line}\n" for line in reviews(40_000)).encode(), 1))
    data[len(data) // 2] ^= 4
    (tmp_path / "train.bz2").write_bytes(data)
    run = make_run(tmp_path / "train.bz2", test_file, tmp_path / "data", shard_bytes=10_000)
    with pytest.raises(PipelineError, match=r"train\.bz2 is damaged: bzip2 block \d+, which begins at byte [\d,]+"):
        prepare(run, [ingest.STAGE])


def test_what_was_rejected_is_a_warning_each_time_the_stage_runs(tmp_path: Path, test_file: Path) -> None:
    lines = [*reviews(1000, (2, 700)), "", " "]
    run = make_run(write(tmp_path / "train.txt", lines), test_file, tmp_path / "data")
    found = list[str]()
    with ProcessExecutor(1) as executor:
        for _ in range(2):
            observer = PlainObserver(found.append)
            outcome = run_stage(run, ingest.STAGE, executor, observer)
    expected = (
        f"train.txt: 2 of 1,002 lines rejected (2: {NO_LABEL}); the first is line 2: 'no label'",
        "train.txt: 2 blank lines skipped",
    )
    assert outcome.warnings == expected
    assert [line for line in found if "warning" in line] == [f"ingest: warning: {each}" for each in expected] * 2
    facts = run.manifest("ingest/train/total").facts
    assert (facts["reviews"], facts["rejected"], facts["blank"], facts["positive"]) == (998, 2, 2, 499)


def test_the_same_file_twice_is_refused_whatever_its_name(tmp_path: Path) -> None:
    train = write(tmp_path / "train.txt", reviews(10))
    run = make_run(train, write(tmp_path / "test.txt", reviews(10)), tmp_path / "data")
    with pytest.raises(SettingsError, match=r"train\.txt and .*test\.txt are the same file"):
        prepare(run, [ingest.STAGE])


def test_a_class_that_is_missing_after_the_limit_is_refused(tmp_path: Path, test_file: Path) -> None:
    train = write(tmp_path / "train.txt", sorted(reviews(200)))
    run = make_run(train, test_file, tmp_path / "data", ingest={"train_lines": 60})
    with pytest.raises(PipelineError, match="all 60 reviews are negative, none is positive"):
        prepare(run, [ingest.STAGE])
