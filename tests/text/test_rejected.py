from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.parsed import BLANK, DROPPED, OTHER_LABEL
from sentiment_pipeline.text.rejected import FileRanges, LineSummary, Range, collect_rejected, refuse_unfit
from sentiment_pipeline.text.tables import OTHER_LINES, REJECTED, REVIEWS, parquet_writer


@pytest.fixture
def ranges(tmp_path: Path) -> list[Range]:
    """Three ranges of ten lines each; the last review of each is positive."""

    def write(number: int, others: dict[int, str]) -> Range:
        paths = [tmp_path / f"{kind}-{number}.parquet" for kind in ("reviews", "others")]
        reviews = 10 - len(others)
        with parquet_writer(paths[0], REVIEWS) as file:
            file.write_table(pa.table({"label": [0] * (reviews - 1) + [1], "text": ["text"] * reviews}, REVIEWS))
        with parquet_writer(paths[1], OTHER_LINES) as file:
            columns = {"line": list(others), "reason": list(others.values()), "raw": [b"x" * 99] * len(others)}
            file.write_table(pa.table(columns, OTHER_LINES))
        return Range(10, 1, *paths)

    return [write(0, {1: "bad", 10: "bad"}), write(1, {5: BLANK}), write(2, {3: "bad", 4: BLANK, 9: "worse"})]


@pytest.mark.parametrize(
    ("limit", "lines", "parts", "positive", "blank", "rejected"),
    [
        (0, 30, [8, 9, 7], 3, 2, [1, 10, 23, 29]),
        (24, 24, [8, 9, 2], 2, 2, [1, 10, 23]),
        (23, 23, [8, 9, 2], 2, 1, [1, 10, 23]),
        (30, 30, [8, 9, 7], 3, 2, [1, 10, 23, 29]),
        (9, 9, [8, 0, 0], 1, 0, [1]),
        (8, 8, [7, 0, 0], 0, 0, [1]),
        (99, 30, [8, 9, 7], 3, 2, [1, 10, 23, 29]),
    ],
)
def test_lines_are_numbered_and_end_at_the_limit(
    ranges: list[Range],
    tmp_path: Path,
    limit: int,
    lines: int,
    parts: list[int],
    positive: int,
    blank: int,
    rejected: list[int],
) -> None:
    output = tmp_path / "all.parquet"
    (summary,) = collect_rejected([FileRanges(tmp_path / "train.txt", "train.txt", ranges)], limit, output)
    assert (summary.lines, summary.parts, summary.positive, summary.blank) == (lines, parts, positive, blank)
    assert summary.lines == summary.reviews + summary.rejected + summary.blank
    table = pq.read_table(output)
    assert table.schema.equals(REJECTED)
    assert table["line"].to_pylist() == rejected
    assert set(table["file"].to_pylist()) == {"train.txt"}


def test_lines_of_several_files_are_numbered_in_each_and_the_limit_counts_all(
    ranges: list[Range], tmp_path: Path
) -> None:
    files = [FileRanges(tmp_path / name, name, ranges) for name in ("a.txt", "b.txt", "c.txt")]
    summaries = collect_rejected(files, 35, tmp_path / "all.parquet")
    assert [each.lines for each in summaries] == [30, 5, 0]
    table = pq.read_table(tmp_path / "all.parquet")
    assert [*zip(table["file"].to_pylist(), table["line"].to_pylist(), strict=True)] == [
        *(("a.txt", line) for line in (1, 10, 23, 29)),
        ("b.txt", 1),
    ]
    whole = LineSummary.of_all(summaries)
    assert (whole.lines, whole.parts) == (35, [8, 9, 7, 4, 0, 0, 0, 0, 0])
    assert (whole.rejected, whole.reasons["bad"], whole.first) == (5, 4, summaries[0].first)


def test_one_class_in_each_file_is_enough(tmp_path: Path) -> None:
    files = [FileRanges(tmp_path / name, name, []) for name in ("bad.txt", "good.txt")]
    refuse_unfit(files, [summary(0), summary(100)], 0.0, 0)
    with pytest.raises(PipelineError, match=r"2 files from .*bad.txt on: all 200 reviews are negative"):
        refuse_unfit(files, [summary(0), summary(0)], 0.0, 0)
    with pytest.raises(PipelineError, match=r"good.txt: 3 of 103 lines rejected"):
        refuse_unfit(files, [summary(0), summary(100, no_space=3)], 0.0, 0)


def test_the_summary_names_the_reasons_and_the_first_line(ranges: list[Range], tmp_path: Path) -> None:
    (summary,) = collect_rejected([FileRanges(tmp_path, "train.txt", ranges)], 0, tmp_path / "all.parquet")
    assert summary.warnings("train.txt") == [
        f"train.txt: 4 of 30 lines rejected (3: bad; 1: worse); the first is line 1: '{'x' * 60}'",
        "train.txt: 2 blank lines skipped",
    ]
    assert LineSummary(lines=5, parts=[5]).warnings("train.txt") == []


def test_many_reasons_are_counted_but_not_listed() -> None:
    summary = LineSummary(lines=9, parts=[1], first=(1, "x"))
    summary.reasons.update({f"reason {number}": 9 - number for number in range(8)})
    assert "5: reason 4; 3 more reasons);" in summary.rejected_in_words


def summary(positive: int = 50, **reasons: int) -> LineSummary:
    found = LineSummary(lines=100 + sum(reasons.values()), parts=[100], positive=positive)
    found.reasons.update({name.replace("_", " "): count for name, count in reasons.items()})
    found.first = (7, "a line") if reasons else None
    return found


@pytest.mark.parametrize(
    ("rejected", "fraction", "allowed", "refused"),
    [
        (11, 0.05, 10, True),
        (10, 0.05, 10, False),
        (11, 0.2, 10, False),
        (1, 0.0, 0, True),
        (0, 0.0, 0, False),
    ],
)
def test_too_many_are_refused(tmp_path: Path, rejected: int, fraction: float, allowed: int, refused: bool) -> None:
    found = summary(**({"no_text": rejected} if rejected else {}))
    if refused:
        with pytest.raises(PipelineError, match=rf"train.txt: {rejected} of .* rejected .*line 7: 'a line'; correct"):
            refuse_unfit([FileRanges(tmp_path / "train.txt", "train.txt", [])], [found], fraction, allowed)
    else:
        refuse_unfit([FileRanges(tmp_path / "train.txt", "train.txt", [])], [found], fraction, allowed)


@pytest.mark.parametrize(
    ("positive", "missing"),
    [(0, "all 100 reviews are negative, none is positive"), (100, "all 100 reviews are positive, none is negative")],
)
def test_one_class_alone_is_refused_whatever_is_allowed(tmp_path: Path, positive: int, missing: str) -> None:
    with pytest.raises(PipelineError, match=missing):
        refuse_unfit([FileRanges(tmp_path / "train.txt", "train.txt", [])], [summary(positive)], 1.0, 1000)
    with pytest.raises(PipelineError, match=r"none is .*; 3 of 103 lines rejected \(3: no space"):
        refuse_unfit([FileRanges(tmp_path / "train.txt", "train.txt", [])], [summary(positive, no_space=3)], 1.0, 1000)


def test_many_lines_with_another_label_are_refused_whatever_is_allowed(tmp_path: Path) -> None:
    slip, file = summary(), summary()
    slip.reasons[OTHER_LABEL.format(label="__label__3", expected="__label__1 or __label__2")] = 10
    refuse_unfit([FileRanges(tmp_path / "train.txt", "train.txt", [])], [slip], 1.0, 1000)
    file.reasons[OTHER_LABEL.format(label="__label__3", expected="__label__1 or __label__2")] = 11
    with pytest.raises(PipelineError, match="11 lines have the label __label__3 instead of"):
        refuse_unfit([FileRanges(tmp_path / "train.txt", "train.txt", [])], [file], 1.0, 1000)


def test_no_review_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="holds no labelled review; give a file of lines such as"):
        refuse_unfit([FileRanges(tmp_path / "train.txt", "train.txt", [])], [LineSummary(lines=3, blank=3)], 1.0, 1000)


def test_dropped_reviews_are_counted_but_not_rejected(ranges: list[Range], tmp_path: Path) -> None:
    with parquet_writer(ranges[1].others, OTHER_LINES) as file:
        file.write_table(pa.table({"line": [5], "reason": [DROPPED], "raw": [b"x"]}, OTHER_LINES))
    (found,) = collect_rejected([FileRanges(tmp_path, "train.txt", ranges)], 0, tmp_path / "all.parquet")
    assert (found.dropped, found.blank, found.rejected) == (1, 1, 4)
    assert found.warnings("train.txt")[2] == "train.txt: 1 review dropped, as input.labels says"
