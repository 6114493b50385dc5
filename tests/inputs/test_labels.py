from pathlib import Path

import pyarrow as pa
import pytest

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.inputs.labels import Labels, choose_labels, label_strings, parse_labels
from tests.inputs.forms import lines
from tests.inputs.test_formats import read

PATH = Path("reviews.csv")


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("0/1", Labels(("0",), ("1",))),
        ("neg/pos", Labels(("neg",), ("pos",))),
        (" Negative / Positive ", Labels(("negative",), ("positive",))),
        ("1,2/3/4,5", Labels(("1", "2"), ("4", "5"), ("3",))),
        ("1, 2/4 ,5", Labels(("1", "2"), ("4", "5"))),
    ],
)
def test_the_setting(text: str, labels: Labels) -> None:
    assert parse_labels(text) == labels


@pytest.mark.parametrize("text", ["1", "1/", "/1", "1/2/3/4", "1,/2", "1/1", "1,2/2"])
def test_another_form_of_the_setting_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"input\.labels is '.*'; give NEGATIVE/POSITIVE"):
        parse_labels(text)


@pytest.mark.parametrize(
    ("found", "labels"),
    [
        ({"1", "2"}, "1/2"),
        ({"0", "1"}, "0/1"),
        ({"0"}, "0/1"),
        ({"2"}, "1/2"),
        ({"neg", "pos"}, "neg/pos"),
        ({"positive"}, "negative/positive"),
        ({"false", "true"}, "false/true"),
    ],
)
def test_what_is_certain_is_chosen(found: set[str], labels: str) -> None:
    assert choose_labels(found, PATH) == parse_labels(labels)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"1"}, r"are all 1, which may be 1/2 or 0/1; say which, with --set input\.labels=1/2"),
        ({"1", "2", "3", "4", "5"}, r"are 1, 2, 3, 4, 5; say which are negative"),
        ({"0", "1", "2"}, "are 0, 1, 2; say"),
        (set(), "are missing; say"),
        ({f"{number:02d}" for number in range(20)}, "are 00, 01, .*, 09, …; say"),
    ],
)
def test_what_is_not_certain_is_asked_for(found: set[str], message: str) -> None:
    with pytest.raises(PipelineError, match=rf"reviews\.csv: the labels of its first rows {message}"):
        choose_labels(found, PATH)


@pytest.mark.parametrize(
    ("column", "strings"),
    [
        (pa.array([1, 2, None]), ["1", "2", None]),
        (pa.array([1.0, 2.5, None]), ["1", "2.5", None]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([" POS", "neg\n"]), ["pos", "neg"]),
        (pa.array(["a", "a"]).dictionary_encode(), ["a", "a"]),
    ],
)
def test_labels_of_any_type_are_strings(column: pa.Array, strings: list[str | None]) -> None:
    assert label_strings(column, PATH).to_pylist() == strings


def test_lists_are_no_labels() -> None:
    with pytest.raises(PipelineError, match=r"reviews\.csv: its labels are list<.*--label COLUMN"):
        label_strings(pa.array([[1]]), PATH)


def test_stars_of_fasttext_lines_with_the_middle_dropped(tmp_path: Path) -> None:
    (tmp_path / "reviews").write_bytes(lines([(star, f"{star + 1} stars") for star in (0, 1, 2, 3, 4, 5)]))
    parts, others = read(tmp_path / "reviews", 1 << 20, InputConfig("", "", "1,2/3/4,5"))
    assert parts == [[(0, "1 stars"), (0, "2 stars"), (1, "4 stars"), (1, "5 stars")]]
    assert [(each.line, each.reason, each.raw) for each in others] == [
        (3, "dropped, as input.labels says", b"__label__3 3 stars"),
        (6, "the label 6 instead of 1, 2 or 4, 5", b"__label__6 6 stars"),
    ]
