"""Every format in every compression gives the same reviews, whatever the size of its ranges."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.inputs.delimited import Delimited
from sentiment_pipeline.inputs.formats import detect_format
from sentiment_pipeline.inputs.json_lines import JsonLines
from sentiment_pipeline.inputs.lines import Lines
from sentiment_pipeline.inputs.parsed import Rejected
from sentiment_pipeline.inputs.ranges import read_ranges
from sentiment_pipeline.inputs.source import inspect
from tests.inputs.forms import FORMS, REVIEWS, Review

CERTAIN = InputConfig(text="", label="", labels="")


def read(path: Path, size: int, config: InputConfig = CERTAIN) -> tuple[list[list[Review]], list[Rejected]]:
    """The reviews of each range, read by itself if the file can be split, and what was rejected."""
    source = inspect(path, config)
    count = source.range_count(size)
    parts: list[list[Review]] = [[] for _ in range(count)]
    rejected = list[Rejected]()
    for ranges in [range(n, n + 1) for n in range(count)] if source.splits else [range(count)]:
        for index, parsed in read_ranges(source, ranges, size):
            texts = [text.decode() for text in parsed.texts.to_pylist()]
            parts[index] += zip(parsed.labels.tolist(), texts, strict=True)
            rejected += parsed.rejected
    return parts, rejected


@pytest.mark.parametrize("size", [100, 700, 1 << 20])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_holds_the_same_reviews(form: str, size: int, tmp_path: Path) -> None:
    path = tmp_path / f"reviews.{form}"
    path.write_bytes(FORMS[form](REVIEWS))
    parts, rejected = read(path, size)
    assert [review for part in parts for review in part] == REVIEWS
    assert not rejected


@pytest.mark.parametrize("form", FORMS)
def test_the_name_does_not_count(form: str, tmp_path: Path) -> None:
    (tmp_path / "reviews").write_bytes(FORMS[form](REVIEWS))
    assert read(tmp_path / "reviews", 1 << 20)[0][0] == REVIEWS


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"__label__1 a,b\n", Lines),
        (b'{"text": "a"}\n', JsonLines),
        (b"text,label\na,1\n", Delimited),
        (b"label\ttext\n1\ta\n", Delimited),
        (b"a plain text, and label too\n", Lines),
        (b"text\nis the first word\n", Lines),
        (b"{not json}\n", Lines),
        (b"2\tgood\n", Delimited),
        (b"2,good\n", Lines),
        (b'"2" stars, "why" not more\n', Lines),
        (b"", Lines),
    ],
)
def test_formats_of_text_are_recognized(head: bytes, kind: type) -> None:
    assert isinstance(detect_format(head, "", ""), kind)


def rows(form: str, values: Sequence[Any]) -> bytes:
    return FORMS[form](list(values))


@pytest.mark.parametrize("form", ["jsonl", "csv", "tsv", "parquet", "arrow", "stream.arrow", "jsonl.gz", "csv.zip"])
def test_rows_that_are_no_reviews_are_rejected_with_their_numbers(form: str, tmp_path: Path) -> None:
    given = [(0, "bad"), (1, "good"), (3, "so so"), (1, " "), (0, "a\0b"), (1, "x" * ((1 << 20) + 1)), (1, "great")]
    if "csv" in form or "tsv" in form:
        given[4] = (0, "")  # csv has no NUL
    path = tmp_path / f"reviews.{form}"
    path.write_bytes(FORMS[form](given))
    parts, rejected = read(path, 1 << 30, InputConfig("", "", "0/1"))
    assert parts[0] == [(0, "bad"), (1, "good"), (1, "great")]
    assert [each.line for each in rejected] == [3, 4, 5, 6]
    assert rejected[0].reason == "the label 3 instead of 0 or 1"
    assert b"so so" in rejected[0].raw
    assert max(len(each.raw) for each in rejected) <= 1 << 20


def test_a_file_may_lack_its_last_line_feed_and_begin_with_a_mark(tmp_path: Path) -> None:
    for form in ("jsonl", "csv", "tsv", "published.csv", "csv.gz"):
        data = FORMS[form.removesuffix(".gz")](REVIEWS).removesuffix(b"\n")
        path = tmp_path / f"reviews.{form.removesuffix('.gz')}"
        path.write_bytes(b"\xef\xbb\xbf" + data)
        assert read(path, 1 << 20)[0][0] == REVIEWS, form
