"""A flipped bit in each kind of published file: it is named, exactly it is rebuilt, and nothing is built on it."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sentiment_pipeline.engine.manifest import read
from tests.folders import contents, of_file
from tests.processes import REPETITIONS, draw, run, stamps

Copy = Callable[[Path], Path]

PUBLISHED = {
    "ingest/train/part-00001.parquet": "ingest/train/part-00001",
    "ingest/test/rejected-00000.parquet": "ingest/test/part-00000",
    "rejected/train.parquet": "ingest/train/total",
    "tokens/train/part-00000.chunks.arrow": "tokenize/train/part-00000",
    "tokens/train/part-00001.dictionary.arrow": "tokenize/train/part-00001",
    "tokens/merged/rows-000.arrow": "tokenize/merged/part-000",
    "tokens/merged/tokens-001.arrow": "tokenize/merged/part-001",
    "quality/train/part-00000.exact.arrow": "quality/train/part-00000",
    "quality/train/part-00001.bands.arrow": "quality/train/part-00001",
    "quality/test/part-00000.minima.arrow": "quality/test/part-00000",
    "quality/train/part-00000.words.arrow": "quality/train/part-00000",
    "quality/test/part-00000.counts.arrow": "quality/test/part-00000",
    "quality/equal-000.arrow": "quality/equal/part-000",
    "quality/pairs-000.arrow": "quality/pairs/part-000",
    "quality/found.arrow": "quality/found",
    "quality.json": "quality/found",
    "quality/dropped.arrow": "quality/judged",
    "vocabulary/train/part-00000.arrow": "vocabulary/counts/train/part-00000",
    "vocabulary/chunk-ids.arrow": "vocabulary/ids",
    "vocabulary.parquet": "vocabulary/ids",
    "shards/train/part-00001.parquet": "encode/train/part-00001",
    "shards/validation/part-00000.parquet": "encode/train/part-00000",
    "packed/train/ids.npy": "encode/packed/train",
    "packed/train/offsets.npy": "encode/packed/train",
    "packed/validation/lengths.npy": "encode/packed/validation",
    "packed/test/labels.npy": "encode/packed/test",
    "training/model.safetensors": "train",
    "training/history.jsonl": "train",
    "metrics.json": "evaluate",
    "report.html": "evaluate",
    "model/model.safetensors": "publish",
    "model/config.json": "publish",
    "model/vocabulary.parquet": "publish",
    "model/README.md": "publish",
    "model/lineage.json": "publish",
    "lineage.json": "publish",
}
MANIFESTS = (
    "ingest/train/part-00000",
    "ingest/test/total",
    "tokenize/merged/part-000",
    "vocabulary/ids",
    "encode/packed/train",
    "train",
    "publish",
)


def flip(path: Path, random: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def test_every_kind_of_file_is_tried(finished: Path) -> None:
    def kind(name: str) -> str:
        return re.sub(r"\d", "", re.sub("test|validation", "train", re.sub("/[0-9a-f]{12}/", "/", name)))

    published = {name for name in contents(finished) if not name.startswith("checkpoints/")}
    assert {kind(name) for name in published} == {kind(name) for name in PUBLISHED} | {"packed/train/labels.npy"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_flipped_bit_is_named_and_exactly_its_step_redone(
    name: str, finished: Path, copy: Copy, options: list[object]
) -> None:
    step, name = of_file(finished, PUBLISHED[name]), of_file(finished, name)
    check(copy(finished), options, name, f"{name}: damaged (its SHA-256 differs)", step)


@pytest.mark.parametrize("step", MANIFESTS)
def test_a_flipped_bit_in_a_manifest(step: str, finished: Path, copy: Copy, options: list[object]) -> None:
    step = of_file(finished, step)
    check(copy(finished), options, f"manifests/{step}.json", f"manifests/{step}.json is damaged", step)


def check(folder: Path, options: list[object], name: str, words: str, step: str) -> None:
    whole = contents(folder)
    for repetition in range(-(-REPETITIONS // 4)):
        before = stamps(folder)
        flip(folder / name, draw(name, repetition))
        found = run("verify", "--data-dir", folder)
        assert found.code == 1
        assert len(found.stdout.splitlines()) == 1, found.stdout
        assert words in found.stdout
        rebuilt = run("run", *options, "--data-dir", folder)
        assert rebuilt.code == 0, rebuilt.stderr
        assert contents(folder) == whole
        record, after = read(folder, step), stamps(folder)
        assert record
        done = {each for each in after if after[each] != before[each] and not each.startswith("checkpoints/")}
        assert done == {f"manifests/{step}.json", *record.outputs}


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("train", "packed/train/ids.npy"),
        ("train", "packed/validation/labels.npy"),
        ("evaluate", "packed/test/ids.npy"),
        ("evaluate", "training/model.safetensors"),
        ("evaluate", "vocabulary.parquet"),
    ],
)
def test_a_stage_on_its_own_refuses_damaged_files(
    command: str, name: str, finished: Path, copy: Copy, settings_options: list[object]
) -> None:
    folder = copy(finished)
    flip(folder / name, draw(command, name))
    ended = run(command, *settings_options, "--data-dir", folder)
    assert ended.code == 1
    assert f"{folder / name}: damaged" in ended.stderr
    assert "train: 1 step done" not in ended.stderr


@pytest.mark.parametrize("suffix", [".pt", ".json"])
def test_a_damaged_checkpoint_is_named_and_passed_over(
    suffix: str, finished: Path, copy: Copy, options: list[object]
) -> None:
    folder = copy(finished)
    last = max(folder.glob("checkpoints/*/step-*.pt")).with_suffix(suffix)
    flip(last, draw(suffix))
    found = run("verify", "--data-dir", folder)
    assert (found.code, len(found.stdout.splitlines()), str(last.with_suffix(".pt")) in found.stdout) == (1, 1, True)
    assert run("run", *options, "--data-dir", folder).done == set(), "finished training needs no checkpoint"
    assert run("verify", "--data-dir", folder).code == 0
    flip(folder / "training/model.safetensors", draw(suffix, 1))
    assert run("train", *options, "--data-dir", folder).code == 0
    name = "training/model.safetensors"
    assert contents(folder)[name] == contents(finished)[name], (
        "resumed from the checkpoint before it, training gives the same weights"
    )
