import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.inputs.labels import label_strings
from sentiment_pipeline.inputs.rows import Columns, Rows, choose_columns, texts_of
from tests.inputs.test_formats import read

PATH = Path("reviews.csv")


@pytest.mark.parametrize(
    ("names", "text", "label", "columns"),
    [
        (["label", "text"], "", "", Columns("text", None, "label")),
        (["Label", "Title", "Content"], "", "", Columns("Content", "Title", "Label")),
        (["label", "title", "text"], "text", "", Columns("text", None, "label")),
        (["stars", "body", "text"], "body", "stars", Columns("body", None, "stars")),
        (["Stars", "review"], "Review", "stars", Columns("review", None, "Stars")),
        (["label", "text", "content"], "", "", Columns("text", None, "label")),
    ],
)
def test_columns_by_name(names: list[str], text: str, label: str, columns: Columns) -> None:
    assert choose_columns(names, text, label, PATH) == columns


def test_a_missing_column_is_named_with_those_there_are() -> None:
    with pytest.raises(PipelineError, match=r"has no column text or content; it has id, body; .*--text COLUMN"):
        choose_columns(["id", "body"], "", "", PATH)
    with pytest.raises(PipelineError, match="has no column stars; it has text; .*--label COLUMN"):
        choose_columns(["text"], "", "stars", PATH)
    assert choose_columns(["text"], "", "", PATH, needs_label=False).label is None


def test_a_title_is_put_before_the_text_and_line_feeds_are_spaces() -> None:
    columns = {"title": pa.array(["Great", "", None, "Odd"]), "text": pa.array(["a\nb", "plain", "x\ry", None])}
    rows = Rows(4, columns, np.arange(1, 5), lambda row: b"")
    found = texts_of(rows, Columns("text", "title"), PATH).to_pylist()
    assert found == [b"Great: a b", b"plain", b"x y", b"Odd: "]


def test_lists_are_no_text() -> None:
    rows = Rows(1, {"text": pa.array([["a"]])}, np.arange(1, 2), lambda row: b"")
    with pytest.raises(PipelineError, match="the column text holds list<.*, not text"):
        texts_of(rows, Columns("text"), PATH)


def test_bytes_that_are_no_text_are_one_clear_line() -> None:
    rows = Rows(1, {"text": pa.array([b"caf\xe9"])}, np.arange(1, 2), lambda row: b"")
    with pytest.raises(PipelineError, match=r"reviews\.csv: the column text holds binary that is not UTF-8 text"):
        texts_of(rows, Columns("text"), PATH)
    with pytest.raises(PipelineError, match=r"reviews\.csv: its labels are binary that is not text"):
        label_strings(pa.array([b"\xe9"]), PATH)


def test_the_published_form_writes_line_feeds_as_two_characters(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text('"2","A ""title""","one\\ntwo"\n"1","","plain"\n')
    assert read(tmp_path / "train.csv", 1 << 20)[0] == [[(1, 'A "title": one two'), (0, "plain")]]


def test_columns_and_labels_by_settings(tmp_path: Path) -> None:
    rows = [{"overall": 5.0, "reviewText": "loved it", "text": "no"}, {"overall": 1.0, "reviewText": "broke"}]
    (tmp_path / "reviews.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = InputConfig(text="reviewText", label="overall", labels="1,2/3/4,5")
    assert read(tmp_path / "reviews.json", 1 << 20, config)[0] == [[(1, "loved it"), (0, "broke")]]
