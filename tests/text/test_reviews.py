from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.inputs.lines import NO_LABEL
from sentiment_pipeline.inputs.parsed import BLANK, OTHER_LABEL
from sentiment_pipeline.inputs.source import inspect
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.reviews import write_reviews
from sentiment_pipeline.text.tables import OTHER_LINES, REVIEWS

LINES = b"__label__2 Good 10\n\nbad\n__label__1 Bad<br />\n__label__0 x\n"


def write(folder: Path, text: bytes, ranges: range = range(1), size: int = 1 << 20) -> list[dict[str, int]]:
    """Write `good-N` and `bad-N` for each range of a file with this text."""

    @contextmanager
    def tables(index: int) -> Iterator[tuple[Path, Path]]:
        yield folder / f"good-{index}", folder / f"bad-{index}"

    (folder / "reviews").write_bytes(text)
    source = inspect(folder / "reviews", InputConfig("", "", ""))
    return write_reviews(source, ranges, size, CleaningConfig(html_breaks=True), tables)


def test_reviews_and_rejected_lines(tmp_path: Path) -> None:
    assert write(tmp_path, LINES) == [{"lines": 5, "reviews": 2, "positive": 1, "bytes": len(LINES)}]
    good, bad = pq.read_table(tmp_path / "good-0"), pq.read_table(tmp_path / "bad-0")
    assert good.schema.equals(REVIEWS)
    assert bad.schema.equals(OTHER_LINES)
    assert good.to_pylist() == [{"label": 1, "text": "good 00"}, {"label": 0, "text": "bad "}]
    assert [list(row.values()) for row in bad.to_pylist()] == [
        [2, BLANK, b""],
        [3, NO_LABEL, b"bad"],
        [5, OTHER_LABEL.format(label="__label__0", expected="__label__1 or __label__2"), b"__label__0 x"],
    ]


def test_line_numbers_continue_from_buffer_to_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment_pipeline.inputs.ranges._BUFFER_BYTES", 1)
    monkeypatch.setattr("sentiment_pipeline.inputs.ranges._READ_BYTES", 25)
    write(tmp_path, LINES)
    assert pq.ParquetFile(tmp_path / "good-0").num_row_groups > 1
    assert pq.read_table(tmp_path / "bad-0")["line"].to_pylist() == [2, 3, 5]


def test_a_range_without_lines(tmp_path: Path) -> None:
    facts = write(tmp_path, b"__label__1 one long line", range(1, 2), 8)
    assert [each["lines"] for each in facts] == [0]
    assert len(pq.read_table(tmp_path / "good-1")) == 0


def test_several_ranges_at_once_are_those_one_by_one(tmp_path: Path) -> None:
    text = b"".join(b"__label__%d review number %d\n" % (1 + n % 2, n) for n in range(50))
    facts = write(tmp_path, text, range(10), 150)
    assert sum(each["lines"] for each in facts) == 50
    together = [(tmp_path / f"good-{index}").read_bytes() for index in range(10)]
    alone = [facts for index in range(10) for facts in write(tmp_path, text, range(index, index + 1), 150)]
    assert facts == alone
    assert together == [(tmp_path / f"good-{index}").read_bytes() for index in range(10)]
