"""Files that are damaged, that change or that hold no reviews, and bad lines: named, rejected, never trained on."""

import bz2
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.folders import contents
from tests.processes import MEBIBYTE, REPETITIONS, Ended, draw, limit_memory, obey_permissions, run

GOOD = b"__label__2 a good book\n__label__1 a bad book\n" * 50


def instead(options: list[object], **files: Path) -> list[object]:
    """The options with other files, for example `test=path`."""
    options = options.copy()
    for name, path in files.items():
        options[options.index(f"--{name}") + 1] = path
    return options


def prepare(options: list[object], train: Path, data_dir: Path, *more: object, **keywords: Any) -> Ended:
    return run("prepare", *instead(options, train=train), "--data-dir", data_dir, *more, **keywords)


def assert_one_line(ended: Ended, *words: object) -> None:
    assert ended.code == 1, ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("sentiment-pipeline: "), ended.stderr
    assert "Traceback" not in ended.stderr
    for word in words:
        assert str(word) in ended.stderr, ended.stderr


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_a_file_cut_short_at_any_byte(repetition: int, reviews: Path, options: list[object], tmp_path: Path) -> None:
    whole, path = (reviews / "train.ft.txt.bz2").read_bytes(), tmp_path / "reviews.bz2"
    path.write_bytes(whole[: draw("cut", repetition).randrange(len(whole))])
    assert_one_line(prepare(options, path, tmp_path / "data"), path)
    path.write_bytes(whole)
    assert prepare(options, path, tmp_path / "data").code == 0


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_a_flipped_bit_in_a_block(
    repetition: int, reviews: Path, options: list[object], prepared: Path, tmp_path: Path
) -> None:
    random, path = draw("flip", repetition), tmp_path / "reviews.bz2"
    content = bytearray((reviews / "train.ft.txt.bz2").read_bytes())
    content[random.randrange(20, len(content) - 20)] ^= 1 << random.randrange(8)
    path.write_bytes(content)
    ended = prepare(options, path, tmp_path / "data")
    if ended.code:
        assert_one_line(ended, path, "damaged", "download the file again")
    else:  # a few bits of a bzip2 file mean nothing
        packed = {name: digest for name, digest in contents(prepared).items() if name.startswith("packed/")}
        assert packed.items() <= contents(tmp_path / "data").items()


def test_files_that_cannot_be_read_as_reviews_are_refused(options: list[object], tmp_path: Path) -> None:
    (tmp_path / "empty.bz2").touch()
    (tmp_path / "plain.bz2").write_bytes(GOOD)
    (tmp_path / "closed").write_bytes(GOOD)
    (tmp_path / "closed").chmod(0)
    os.mkfifo(tmp_path / "pipe")
    for name, words in (
        ("empty.bz2", "is empty"),
        ("plain.bz2", "is not a .bz2 file"),
        ("absent", "no such file"),
        ("closed", "permission denied"),
        ("pipe", "not a regular file"),
    ):
        ended = prepare(options, tmp_path / name, tmp_path / "data", fault=obey_permissions)
        assert_one_line(ended, tmp_path / name, words)


def change_after_inspection(path: Path) -> None:
    """A fault: let the file grow when the first of its ranges is read."""
    from sentiment_pipeline.inputs import ranges

    blocks = ranges.decode_blocks

    def growing(*arguments: Any) -> Any:
        with path.open("ab") as file:
            file.write(bz2.compress(GOOD))
        return blocks(*arguments)

    ranges.decode_blocks = growing  # type: ignore[assignment]


def test_a_file_that_changes_while_it_is_read(options: list[object], tmp_path: Path) -> None:
    path = tmp_path / "reviews.bz2"
    path.write_bytes(bz2.compress(GOOD))
    ended = prepare(options, path, tmp_path / "data", fault=partial(change_after_inspection, path))
    assert_one_line(ended, path, "was changed while it was read")
    assert not list((tmp_path / "data").glob("manifests/ingest/train/**/*.json"))
    assert prepare(options, path, tmp_path / "data").code == 0
    parts = (tmp_path / "data" / "ingest" / "train").glob("*/part-*")
    assert sum(pq.read_metadata(part).num_rows for part in parts) > 100


def test_a_file_that_changes_between_two_stages(options: list[object], tmp_path: Path) -> None:
    path, data_dir = tmp_path / "reviews", tmp_path / "data"
    path.write_bytes(GOOD)
    assert prepare(options, path, data_dir).done == {"ingest", "tokenize", "quality", "vocabulary", "encode"}
    os.utime(path)
    assert prepare(options, path, data_dir).done == set(), "its bytes count, not its time"
    path.write_bytes(GOOD.replace(b"book", b"look"))
    status = run("status", *instead(options, train=path), "--data-dir", data_dir).stdout
    assert "not done yet, reviews is new or has changed" in status
    assert prepare(options, path, data_dir).done == {"ingest", "tokenize", "quality", "vocabulary", "encode"}
    assert "look" in pq.read_table(data_dir / "vocabulary.parquet")["token"].to_pylist()


LONG = b"__label__1 " + b"x" * 100 * MEBIBYTE
LINES = {
    b"no label at all": "does not start with a label",
    b" __label__1 space before": "does not start with a label",
    b"__label__3 other": "the label __label__3",
    b"__label__1": "no text",
    b"__label__1 ": "no text",
    b"__label__2 \t ": "no text",
    b"__label__2\tno space": "no space",
    b"__label__1 two __label__2 labels": "more than one label",
    b"__label__1 latin \xe9": "not UTF-8",
    b"__label__1 surrogate \xed\xa0\x80": "not UTF-8",
    b"__label__2 nul\0byte": "NUL",
}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("compressed", [False, True])
def test_bad_lines_are_kept_with_their_numbers(
    end: bytes, mark: bytes, compressed: bool, options: list[object], tmp_path: Path
) -> None:
    good = GOOD.splitlines()
    lines = [line for bad in LINES for line in (*good[:3], b"", bad)]
    text = mark + end.join([*lines, b"__label__2 the last line has no end"])
    path = tmp_path / "reviews"
    path.write_bytes(bz2.compress(text) if compressed else text)
    allowed = f"ingest.min_rejected_lines={len(LINES)}"
    assert prepare(options, path, tmp_path / "data", "--set", allowed).code == 0
    rejected = pq.read_table(tmp_path / "data" / "rejected" / "train.parquet").to_pydict()
    assert rejected["line"] == [5 * (number + 1) for number in range(len(LINES))]
    assert rejected["raw"] == list(LINES)
    assert all(words in reason for words, reason in zip(LINES.values(), rejected["reason"], strict=True))
    texts = [
        text
        for each in sorted((tmp_path / "data" / "ingest" / "train").glob("*/part-*"))
        for text in pq.read_table(each)["text"].to_pylist()
    ]
    assert texts == ["a good book", "a bad book", "a good book"] * len(LINES) + ["the last line has no end"]


@pytest.mark.parametrize(
    "text", [LONG + b"\n" + GOOD, GOOD + LONG, LONG.replace(b" ", b"\0")], ids=["first", "last", "no line feed"]
)
def test_a_line_of_100_megabytes(text: bytes, options: list[object], tmp_path: Path) -> None:
    path = tmp_path / "reviews"
    path.write_bytes(text)
    ended = prepare(
        options,
        path,
        tmp_path / "data",
        "--set",
        "ingest.shard_bytes=16_777_216",
        fault=partial(limit_memory, 320 * MEBIBYTE),
    )
    if GOOD in text:
        assert ended.code == 0, ended.stderr
    else:
        assert_one_line(ended, path, "holds no labelled review")
    rejected = pq.read_table(tmp_path / "data" / "rejected" / "train.parquet").to_pydict()
    assert rejected["reason"] == [f"longer than {MEBIBYTE:,} bytes"]
    assert rejected["raw"] == [text[text.index(b"x") - 11 :][:MEBIBYTE]]


@pytest.mark.parametrize(
    ("bad", "lines", "settings", "code"),
    [
        (10, 500, [], 0),
        (11, 500, [], 1),
        (101, 10_101, [], 0),
        (102, 10_101, [], 1),
        (101, 5_000, ["--set", "ingest.max_rejected_fraction=0.03"], 0),
        (3, 5_000, ["--set", "ingest.min_rejected_lines=0"], 0),
        (51, 5_000, ["--set", "ingest.min_rejected_lines=0"], 1),
    ],
)
def test_too_many_bad_lines_stop_the_run(
    bad: int, lines: int, settings: Iterable[str], code: int, options: list[object], tmp_path: Path
) -> None:
    path, data_dir, good = tmp_path / "reviews", tmp_path / "data", GOOD.splitlines(keepends=True)
    path.write_bytes(b"bad\n" * bad + b"".join(good[number % 2] for number in range(lines - bad)))
    (tmp_path / "test").write_bytes(GOOD)
    ended = prepare(instead(options, test=tmp_path / "test"), path, data_dir, *settings)
    assert ended.code == code, ended.stderr
    if code:
        assert_one_line(ended, path, f"{bad:,} of {lines:,} lines", "line 1:", "ingest.max_rejected_fraction")
    assert pq.read_metadata(data_dir / "rejected" / "train.parquet").num_rows == bad
