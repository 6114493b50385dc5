"""CSV and TSV: quotes, records over several lines, and what is not valid."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sentiment_pipeline.inputs.delimited import Delimited, detect_delimited
from sentiment_pipeline.inputs.parsed import BLANK, NOT_UTF8, TOO_LONG
from tests.inputs.test_formats import read


def parse(data: bytes, pieces: int = 1) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The texts with the index of their buffer, and the rejected rows, of a CSV of label and text in some buffers."""
    lines = data.splitlines(keepends=True)
    size = -(-len(lines) // pieces)
    buffers = [(index, b"".join(lines[start : start + size])) for index, start in enumerate(range(0, len(lines), size))]
    texts, rejected = [], []
    for index, rows in Delimited(",", ("label", "text"), True, False).rows(buffers, ["text"]):
        texts += [(index, text) for text in rows.columns["text"].to_pylist()]
        rejected += [(each.line, each.reason) for each in rows.unreadable]
    return texts, rejected


def test_quotes_may_hold_everything() -> None:
    data = b'label,text\n1,"a ""quoted"" word, and\na second line"\n2,plain\n'
    assert parse(data) == ([(0, 'a "quoted" word, and\na second line'), (0, "plain")], [])


@pytest.mark.parametrize("pieces", [2, 3, 5])
def test_a_record_belongs_to_the_buffer_in_which_it_begins(pieces: int) -> None:
    records = [f'{number % 2},"{number}\n\n{number}"\n' if number % 2 else f"0,{number}\n" for number in range(20)]
    texts, rejected = parse(("label,text\n" + "".join(records)).encode(), pieces)
    assert [text.partition("\n")[0] for _, text in texts] == [str(number) for number in range(20)]
    assert [index for index, _ in texts] == sorted(index for index, _ in texts)
    assert {index for index, _ in texts} == set(range(pieces))
    assert not rejected


def test_records_across_buffers_of_one_range_are_given_buffer_by_buffer() -> None:
    """Or a file whose records run over every boundary would be held in memory as a whole."""
    taken = list[int]()

    def buffers() -> Iterator[tuple[int, bytes]]:
        for number in range(5):
            taken.append(number)
            yield 0, b'label,text\n1,"a\n' if number == 0 else b'b"\n1,"a\n'

    found = Delimited(",", ("label", "text"), True, False).rows(buffers(), ["text"])
    assert next(found)[1].columns["text"].to_pylist() == ["a\nb"]
    assert taken == [0, 1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1", "1 fields instead of 2"),
        (b"1,a,b", "3 fields instead of 2"),
        (b"", BLANK),
        (b'1,"a"b', "its quotes are not those of a CSV record"),
        (b'1,"never closed', "its quotes are not those of a CSV record"),
        (b"1,caf\xe9", NOT_UTF8),
        (b"1," + b"x" * (3 << 20), TOO_LONG),
    ],
)
def test_a_record_that_is_not_valid_costs_one_line(line: bytes, reason: str) -> None:
    texts, rejected = parse(b"label,text\n1,before\n" + line + b"\n2,after\n3,last\n")
    assert [text for _, text in texts] == ["before", "after", "last"]
    assert rejected == [(2, reason)]


def test_a_quote_that_is_never_closed_is_given_up_after_a_megabyte() -> None:
    rest = b"".join(b"1,%d\n" % number for number in range(300_000))
    texts, rejected = parse(b'label,text\n1,"never closed\n' + rest)
    assert len(texts) == 300_000
    assert rejected == [(1, "its quotes are not those of a CSV record")]


@pytest.mark.parametrize(
    ("head", "suffix", "found"),
    [
        (b"label,text\n", "", Delimited(",", ("label", "text"), True, False)),
        (b"id\tcontent\n", "", Delimited("\t", ("id", "content"), True, False)),
        (b'"text"\r\n', ".csv", Delimited(",", ("text",), True, False)),
        (b'"1","good"\n', "", Delimited(",", ("label", "text"), False, True)),
        (b"2\tTitle\tgood\n", "", Delimited("\t", ("label", "title", "text"), False, True)),
        (b"text\n", "", None),
        (b"1,good\n", "", None),
        (b"id,review\n", ".csv", Delimited(",", ("id", "review"), True, False)),
        (b"id,review\n", ".tsv", None),
        (b'"2","Title","good"\n', ".csv", Delimited(",", ("label", "title", "text"), False, True)),
        (b'"unclosed, text\n', "", None),
    ],
)
def test_what_is_recognized(head: bytes, suffix: str, found: Delimited | None) -> None:
    assert detect_delimited(head, suffix, "") == found


def test_the_column_that_the_user_names_makes_a_header(tmp_path: Path) -> None:
    assert detect_delimited(b"id,review\n", "", "") is None
    assert detect_delimited(b"id,review\n", "", "review") == Delimited(",", ("id", "review"), True, False)


def test_an_empty_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("label,text\n0,bad\n")
    assert read(tmp_path / "reviews.csv", 1 << 20) == ([[(0, "bad")]], [])
