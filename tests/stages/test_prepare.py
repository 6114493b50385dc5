"""The four stages together against the tutorial's recipe, on real and on random reviews."""

import bz2
import io
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.tutorial.preparing import apply_recipe
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.engine.step import no_progress
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages.pipeline import PREPARE
from tests.folders import contents, of_file
from tests.stages.prepared import make_run, prepare, shards
from tests.text.texts import random_text

IMDB_LINES = int(os.environ.get("IMDB_LINES", "600"))  # 25000 compares all of it, in some two minutes


def random_lines(count: int, seed: int) -> str:
    """Labelled reviews of random text with capitals, digits and addresses."""
    draw, lines = random.Random(seed), []
    for _ in range(count):
        text = " ".join(random_text(draw).replace("\r", "") for _ in range(draw.randrange(1, 5)))
        text = text.replace("book", "Book").replace("0", draw.choice("0123456789")).replace("story", "www.story.com/x")
        lines.append(f"__label__{draw.choice('12')} {text or 'x'}x\n")
    return "".join(lines)


def write(path: Path, text: str) -> Path:
    """A .bz2 file of many streams, split anywhere."""
    data = text.encode()
    path.write_bytes(b"".join(bz2.compress(data[start : start + 9_000]) for start in range(0, len(data), 9_000)))
    return path


def assert_equals_tutorial(data_dir: Path, train: str, test: str) -> None:
    recipe = apply_recipe(*(io.StringIO(text, newline="\n").readlines() for text in (train, test)))
    vocabulary = pq.read_table(data_dir / "vocabulary.parquet").to_pydict()
    assert vocabulary["token"] == recipe.words
    assert vocabulary["count"] == [recipe.counts.get(word, 0) for word in recipe.words]
    assert vocabulary["id"] == list(range(len(recipe.words)))
    for split in ("train", "validation", "test"):
        labels, ids = getattr(recipe, split)
        assert shards(data_dir, split)[0] == labels
        assert shards(data_dir, split)[2] == ids
        assert_packed(data_dir / "packed" / split, labels, ids)


def assert_packed(folder: Path, labels: list[int], ids: list[list[int]]) -> None:
    packed = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        for name in ("ids", "offsets", "labels", "lengths")
    }
    assert packed["ids"].tolist() == [token for review in ids for token in review]
    assert packed["ids"].dtype in (np.uint16, np.uint32)
    assert packed["offsets"].tolist() == np.cumsum([0, *map(len, ids)]).tolist()
    assert packed["labels"].tolist() == labels
    assert packed["lengths"].tolist() == [len(review) for review in ids]


@pytest.mark.parametrize("shard_bytes", [0, 3_000])
def test_random_reviews_as_in_the_tutorial(tmp_path: Path, shard_bytes: int) -> None:
    train, test = random_lines(700, 1), random_lines(301, 2)
    run = make_run(
        write(tmp_path / "train.bz2", train),
        write(tmp_path / "test.bz2", test),
        tmp_path / "data",
        shard_bytes=shard_bytes,
    )
    prepare(run)
    assert_equals_tutorial(run.data_dir, train, test)


@pytest.mark.parametrize(
    ("train", "test", "lines"),
    [("amazon_polarity_1000", "amazon_polarity_1000", 1_000), ("imdb_train", "imdb_test", IMDB_LINES)],
)
def test_real_reviews_as_in_the_tutorial(tmp_path: Path, real_reviews: Path, train: str, test: str, lines: int) -> None:
    paths = real_reviews / f"{train}.ft.txt.bz2", real_reviews / f"{test}.ft.txt.bz2"
    if train == test:  # the same bytes would be refused
        paths = paths[0], tmp_path / "test.ft.txt.bz2"
        paths[1].write_bytes(bz2.compress(bz2.decompress(paths[0].read_bytes()), 1))
    run = make_run(*paths, tmp_path, shard_bytes=1 << 20, ingest={"train_lines": lines, "test_lines": lines})
    prepare(run)
    texts = [b"".join(bz2.decompress(path.read_bytes()).splitlines(keepends=True)[:lines]).decode() for path in paths]
    assert_equals_tutorial(tmp_path, *texts)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("files")
    return write(folder / "train.bz2", random_lines(900, 3)), write(folder / "test.bz2", random_lines(200, 4))


def test_bytes_depend_only_on_input_and_settings(files: tuple[Path, Path], tmp_path: Path) -> None:
    """One process, one process in another order, four workers."""
    runs = [make_run(*files, tmp_path / name, "quick", shard_bytes=5_000) for name in ("one", "reversed", "four")]
    prepare(runs[0])
    prepare(runs[1], order=reversed)
    with ProcessExecutor(4) as execute:
        for stage in PREPARE:
            for steps in stage.plan(runs[2]):
                list(execute(steps, runs[2].data_dir, no_progress))
    first, *others = (contents(run.data_dir) for run in runs)
    assert len(first) > 60
    assert all(other == first for other in others)


def test_the_size_of_the_shards_changes_no_result(files: tuple[Path, Path], tmp_path: Path) -> None:
    found = []
    for name, size in (("small", 2_000), ("large", 1 << 20)):
        run = make_run(*files, tmp_path / name, "quick", shard_bytes=size)
        prepare(run)
        found.append(
            (
                [shards(run.data_dir, split) for split in ("train", "validation", "test")],
                {path: digest for path, digest in contents(run.data_dir).items() if path.startswith("packed")},
            )
        )
    assert found[0] == found[1]
    assert all(len(labels) for labels, _, _ in found[0][0])


def steps_redone(run: Run[Settings], **changes: Any) -> set[str]:
    """The stages of which steps are redone with changed settings."""
    changed = make_run(run.settings.train, run.settings.test, run.data_dir, **changes)
    return {name.split("/")[0] for name in prepare(changed)}


def test_what_is_finished_is_not_done_again(files: tuple[Path, Path], tmp_path: Path) -> None:
    run = make_run(*files, tmp_path)
    assert {name.split("/")[0] for name in prepare(run)} == {"ingest", "tokenize", "quality", "vocabulary", "encode"}
    assert steps_redone(run) == set()
    assert steps_redone(run, training={"epochs": 9}) == set()
    assert steps_redone(run, vocabulary={"min_count": 3}) == {"vocabulary", "encode"}
    assert steps_redone(run, vocabulary={"min_count": 3}, ingest={"min_rejected_lines": 7}) == {"ingest"}
    assert steps_redone(run, cleaning={"html_breaks": True}) == {
        "ingest",
        "tokenize",
        "quality",
        "vocabulary",
        "encode",
    }


def test_a_lost_file_alone_is_made_again(files: tuple[Path, Path], tmp_path: Path) -> None:
    run = make_run(*files, tmp_path, shard_bytes=20_000)
    prepare(run)
    before = contents(tmp_path)
    for path, step in (
        ("ingest/train/part-00001.parquet", "ingest/train/part-00001"),
        ("tokens/train/part-00001.chunks.arrow", "tokenize/train/part-00001"),
        ("tokens/merged/rows-001.arrow", "tokenize/merged/part-001"),
        ("vocabulary.parquet", "vocabulary/ids"),
        ("shards/train/part-00001.parquet", "encode/train/part-00001"),
        ("packed/train/ids.npy", "encode/packed/train"),
    ):
        (tmp_path / of_file(tmp_path, path)).unlink()
        assert prepare(run) == [of_file(tmp_path, step)]
    assert contents(tmp_path) == before
