import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.text.rejected import Range, collect_rejected, refuse_too_many
from sentiment_pipeline.text.tables import REJECTED, parquet_writer


@pytest.fixture
def ranges(tmp_path):
    """Three ranges of ten lines each."""

    def write(number: int, lines: list[int]) -> Range:
        path = tmp_path / f"{number}.parquet"
        with parquet_writer(path, REJECTED) as file:
            columns = {"line": lines, "reason": ["bad"] * len(lines), "raw": [b"x"] * len(lines)}
            file.write_table(pa.table(columns, REJECTED))
        return Range(10, path)

    return [write(0, [1, 10]), write(1, []), write(2, [3, 4, 9])]


@pytest.mark.parametrize(
    ("limit", "within", "lines"),
    [
        (0, [(10, 8), (10, 10), (10, 7)], [1, 10, 23, 24, 29]),
        (23, [(10, 8), (10, 10), (3, 2)], [1, 10, 23]),
        (30, [(10, 8), (10, 10), (10, 7)], [1, 10, 23, 24, 29]),
        (9, [(9, 8), (0, 0), (0, 0)], [1]),
        (99, [(10, 8), (10, 10), (10, 7)], [1, 10, 23, 24, 29]),
    ],
)
def test_lines_are_numbered_through_and_cut_at_the_limit(ranges, tmp_path, limit, within, lines):
    output = tmp_path / "all.parquet"
    assert collect_rejected(ranges, limit, output) == within
    assert pq.read_table(output)["line"].to_pylist() == lines


@pytest.mark.parametrize(
    ("share", "minimum", "refused"), [(0.1, 0, True), (0.2, 0, False), (0.1, 5, False), (0.1, 4, True)]
)
def test_too_many_are_refused(ranges, tmp_path, share, minimum, refused):
    output = tmp_path / "all.parquet"
    collect_rejected(ranges, 0, output)
    if refused:
        with pytest.raises(PipelineError, match=r"5 of 30 lines are no labelled reviews \(the first is line 1: bad\)"):
            refuse_too_many(tmp_path / "train.txt", output, 30, share, minimum)
    else:
        refuse_too_many(tmp_path / "train.txt", output, 30, share, minimum)
