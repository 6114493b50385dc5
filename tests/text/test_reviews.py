import pyarrow.parquet as pq

from sentiment_pipeline.inputs.lines import BLANK, NO_LABEL, OTHER_LABEL
from sentiment_pipeline.inputs.source import inspect
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.reviews import write_reviews
from sentiment_pipeline.text.tables import REJECTED, REVIEWS

LINES = b"__label__2 Good 10\n\nbad\n__label__1 Bad<br />\n__label__0 x\n"


def write(tmp_path, text, size=1 << 20):
    path = tmp_path / "reviews"
    path.write_bytes(text)
    return write_reviews(inspect(path), 0, size, CleaningConfig(html_breaks=True), tmp_path / "good", tmp_path / "bad")


def test_reviews_and_rejected_lines(tmp_path):
    assert write(tmp_path, LINES) == {"lines": 5, "reviews": 2, "positive": 1, "bytes": len(LINES)}
    good, bad = pq.read_table(tmp_path / "good"), pq.read_table(tmp_path / "bad")
    assert good.schema.equals(REVIEWS)
    assert bad.schema.equals(REJECTED)
    assert good.to_pylist() == [{"label": 1, "text": "good 00"}, {"label": 0, "text": "bad "}]
    assert [list(row.values()) for row in bad.to_pylist()] == [
        [2, BLANK, b""],
        [3, NO_LABEL, b"bad"],
        [5, OTHER_LABEL.format(label="__label__0"), b"__label__0 x"],
    ]


def test_line_numbers_continue_from_buffer_to_buffer(tmp_path, monkeypatch):
    monkeypatch.setattr("sentiment_pipeline.inputs.source._BUFFER_BYTES", 1)
    monkeypatch.setattr("sentiment_pipeline.inputs.source._READ_BYTES", 25)
    write(tmp_path, LINES)
    assert pq.ParquetFile(tmp_path / "good").num_row_groups > 1
    assert pq.read_table(tmp_path / "bad")["line"].to_pylist() == [2, 3, 5]


def test_a_range_without_lines(tmp_path):
    (tmp_path / "reviews").write_bytes(b"__label__1 one long line")
    facts = write_reviews(
        inspect(tmp_path / "reviews"), 1, 8, CleaningConfig(html_breaks=False), tmp_path / "good", tmp_path / "bad"
    )
    assert facts["lines"] == 0
    assert len(pq.read_table(tmp_path / "good")) == 0
