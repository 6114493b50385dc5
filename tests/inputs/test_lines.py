import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_pipeline.inputs import lines
from sentiment_pipeline.inputs.lines import Lines, line_batches, parse
from sentiment_pipeline.inputs.parsed import BLANK, LONGEST_LINE, NOT_UTF8, NUL_BYTE, TOO_LONG

GOOD = st.tuples(
    st.sampled_from([1, 2]),
    st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"])).filter(
        lambda text: text.encode().strip(b" \t\x0b\x0c")
    ),
)


@given(st.lists(GOOD), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_labelled_reviews_are_accepted_unchanged(
    reviews: list[tuple[int, str]], line_end: str, last_has_end: bool
) -> None:
    data = line_end.join(f"__label__{label} {text}" for label, text in reviews)
    parsed = parse((data + line_end * (last_has_end and bool(reviews))).encode())
    assert parsed.labels.tolist() == [label - 1 for label, _ in reviews]
    assert [text.decode() for text in parsed.texts.to_pylist()] == [text for _, text in reviews]
    assert parsed.lines == len(reviews)
    assert not parsed.rejected


@pytest.mark.parametrize("text", [b"", b"a", b"a\n", b"\n" * 11, b"abcdefgh\n" * 5, b"abcdefgh\n\n\n\n\n\nx" * 3])
def test_batches_hold_whole_lines_and_not_too_many(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_MOST_LINES", 4)
    found = list(line_batches(text))
    assert b"".join(found) == text
    assert all(batch.count(b"\n") <= 4 for batch in found)
    assert all(batch.endswith(b"\n") for batch in found[:-1])


@given(st.binary())
def test_every_line_is_either_accepted_or_rejected(data: bytes) -> None:
    parsed = parse(data)
    assert parsed.lines == len(data.split(b"\n")) - (data[-1:] in (b"", b"\n"))
    assert parsed.lines == len(parsed.texts) + len(parsed.rejected)
    assert len(parsed.labels) == len(parsed.texts)
    numbered = dict(enumerate(data.split(b"\n"), 1))
    assert all(numbered[each.line].removesuffix(b"\r") == each.raw for each in parsed.rejected)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", BLANK),
        (b" \t ", BLANK),
        (b"no label", lines.NO_LABEL),
        (b" __label__1 text", lines.NO_LABEL),
        (b"__label__3 text", "the label __label__3 instead of __label__1 or __label__2"),
        (b"__label__0 text", "the label __label__0 instead of __label__1 or __label__2"),
        (b"__label__12 text", "the label __label__12 instead of __label__1 or __label__2"),
        (b"__label__1text", "the label __label__1text instead of __label__1 or __label__2"),
        (b"__label__" + b"x" * 99, f"the label __label__{'x' * 21} instead of __label__1 or __label__2"),
        (b"__label__1\ttext", lines._NO_SPACE),
        (b"__label__1\x0btext", lines._NO_SPACE),
        (b"__label__1", lines._NO_TEXT),
        (b"__label__1 __label__2 text", lines._TWO_LABELS),
        (b"__label__1  __label__1 text", lines._TWO_LABELS),
        (b"__label__2 text __label__toys", lines._TWO_LABELS),
        (b"__label__2 text\t__label__1", lines._TWO_LABELS),
        (b"__label__1 ", lines._NO_TEXT),
        (b"__label__2    ", lines._NO_TEXT),
        (b"__label__1 a\0b", NUL_BYTE),
        (b"__label__1 caf\xe9", NOT_UTF8),
        (b"__label__1 \xed\xa0\x80", NOT_UTF8),
        (b"__label__1 " + b"x" * (LONGEST_LINE - 10), TOO_LONG),
    ],
)
def test_reasons(line: bytes, reason: str) -> None:
    parsed = parse(b"__label__1 good\n" + line + b"\n__label__2 good\n")
    assert [(each.line, each.reason, each.raw) for each in parsed.rejected] == [(2, reason, line[:LONGEST_LINE])]
    assert parsed.labels.tolist() == [0, 1]


def test_a_line_of_the_greatest_length_is_accepted() -> None:
    assert not parse(b"__label__1 " + b"x" * (LONGEST_LINE - 11)).rejected


def test_white_space_around_the_text_stays() -> None:
    assert parse(b"__label__1  a  b \r\n").texts.to_pylist() == [b" a  b "]


def test_only_one_carriage_return_belongs_to_the_line_end() -> None:
    assert parse(b"__label__1 a\r\r\n__label__1 b\rc\n").texts.to_pylist() == [b"a\r", b"b\rc"]


@pytest.mark.parametrize("text", [b"the word __label__ alone", b"a__label__1 inside", b"_underscored_", b"__init__ "])
def test_what_only_looks_like_a_second_label_is_text(text: bytes) -> None:
    assert parse(b"__label__1 " + text + b"\n").texts.to_pylist() == [text]


def test_lines_with_any_labels_are_rows() -> None:
    data = b"__label__5 Loved it\r\n\n__label__pos a __label__neg\nno label\n__label__1 \n__label__neg caf\xe9\n"
    ((index, rows),) = Lines().rows([(3, data)], ["label", "text"])
    assert (index, rows.count, rows.numbers.tolist()) == (3, 6, [1])
    assert {name: column.to_pylist() for name, column in rows.columns.items()} == {"label": ["5"], "text": ["Loved it"]}
    assert rows.raw(0) == b"__label__5 Loved it"
    assert [(each.line, each.reason) for each in rows.unreadable] == [
        (2, BLANK),
        (3, lines._TWO_LABELS),
        (4, lines.NO_LABEL),
        (5, lines._NO_TEXT),
        (6, NOT_UTF8),
    ]
