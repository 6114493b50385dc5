import bz2
import io
import os
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.unsupported import detect_unsupported
from sentiment_pipeline.predict import reading
from sentiment_pipeline.predict.reading import _blocks, _lines_of, _text_of, open_texts
from tests.inputs.forms import FORMS, REVIEWS

LINES = st.lists(st.binary(max_size=12).filter(lambda line: not {10, 13} & {*line} and line[:1] != b"\xef"))


def texts(path: Path) -> list[str]:
    with open_texts(path) as found:
        return [text for batch in found for text in batch.texts]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"__label__2 good", "good"),
        (b"__label__1 bad", "bad"),
        (b"__label__2", ""),
        (b"__label__1 ", ""),
        (b"", ""),
        (b"plain", "plain"),
        (b"__label__3 other", "__label__3 other"),
        (b"__label__2x", "__label__2x"),
        (b"caf\xc3\xa9 \xff", "café \ufffd"),
        (b"a\0b", "a\0b"),
    ],
)
def test_a_line_becomes_a_text(line: bytes, text: str) -> None:
    assert _text_of(line) == text


@given(LINES, st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_lines_are_those_between_line_ends(lines: list[bytes], end: bytes, closed: bool, mark: bytes) -> None:
    data = mark + b"".join(line + end for line in lines)
    expected = lines if closed or not lines or lines[-1] else lines[:-1]
    if not closed and lines:
        data = data.removesuffix(end)
    if mark and not b"".join(lines) and data == mark:
        expected = [b""]
    assert list(_lines_of(io.BytesIO(data))) == expected


@given(st.lists(st.integers(0, 40), min_size=1))
def test_of_a_long_line_the_beginning_is_read(lengths: list[int]) -> None:
    lines = [bytes([97 + number % 26]) * length for number, length in enumerate(lengths)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "LONGEST_LINE", 10)
        assert list(_lines_of(io.BytesIO(b"".join(line + b"\n" for line in lines)))) == [line[:10] for line in lines]


@given(st.lists(st.binary(max_size=30)), st.integers(1, 9))
def test_blocks_hold_every_line_in_order(lines: list[bytes], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_BLOCK_BYTES", 50)
        found = list(_blocks(lines, at_once))
    assert [line for block in found for line in block] == lines
    assert all(0 < len(block) <= at_once and sum(map(len, block[:-1])) < 50 for block in found)


def test_no_more_is_read_than_the_next_block() -> None:
    endless = iter(lambda: b"line", b"")
    taken = _blocks((line for line in endless), 100)
    assert len(next(taken)) == len(next(taken)) == 100


@pytest.mark.parametrize(
    "compress", [bytes, bz2.compress, lambda data: bz2.compress(data[:9]) + bz2.compress(data[9:])]
)
@pytest.mark.parametrize("name", ["reviews.txt", "reviews.ft.txt.bz2"])
def test_bz2_is_told_by_its_first_bytes(tmp_path: Path, compress: object, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(compress(b"__label__2 one\nzwei\n\nvier"))  # type: ignore[operator]
    if compress is bytes and path.suffix == ".bz2":
        with pytest.raises(PipelineError, match=r"is not a \.bz2 file"):
            texts(path)
    else:
        assert texts(path) == ["one", "zwei", "", "vier"]


def test_an_empty_file_has_no_texts(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "empty.bz2").write_bytes(bz2.compress(b""))
    assert texts(tmp_path / "empty") == texts(tmp_path / "empty.bz2") == []


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:40] + b"\0\0\0\0" + data[44:]])
def test_a_damaged_bz2_is_named(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "reviews.bz2"
    path.write_bytes(damage(bz2.compress(os.urandom(2000).hex().encode())))  # type: ignore[operator]
    with pytest.raises(PipelineError, match=r"reviews\.bz2 is damaged"):
        texts(path)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"cannot read .*missing"):
        texts(tmp_path / "missing")
    with pytest.raises(PipelineError, match=r"cannot read .*directory"):
        texts(tmp_path)


def test_what_is_typed_is_given_line_by_line() -> None:
    typing, terminal = os.openpty()
    os.write(typing, b"great\n")
    with open_texts(Path(os.ttyname(terminal))) as found:
        assert next(found).texts == ["great"]
    os.close(typing)
    os.close(terminal)


@given(
    texts_in=st.lists(st.binary(max_size=50).filter(lambda text: b"\r" not in text), min_size=1, max_size=4),
    junk=st.binary(min_size=1, max_size=12).filter(lambda junk: any(junk) and not junk.startswith(b"B")),
)
def test_what_follows_a_stream_must_be_one(
    tmp_path_factory: pytest.TempPathFactory, texts_in: list[bytes], junk: bytes
) -> None:
    assume(detect_unsupported(b"".join(texts_in)) is detect_unsupported(texts_in[0]) is None)
    path = tmp_path_factory.mktemp("streams") / "reviews.bz2"
    streams = [bz2.compress(text) for text in texts_in]
    path.write_bytes(b"".join(streams))
    whole = list(_lines_of(io.BytesIO(b"".join(texts_in))))
    assert texts(path) == [_text_of(line) for line in whole]
    path.write_bytes(junk.join([*streams, b""]))
    with pytest.raises(PipelineError, match=r"reviews\.bz2 is damaged"):
        texts(path)
    path.write_bytes(b"".join(streams)[:-1])
    with pytest.raises(PipelineError, match=r"reviews\.bz2 is damaged"):
        texts(path)


@pytest.mark.parametrize("zeros", [1, 512, 200_000])
def test_zero_padding_after_the_last_stream_is_no_damage(tmp_path: Path, zeros: int) -> None:
    path = tmp_path / "reviews.bz2"
    path.write_bytes(bz2.compress(b"one\n") + bz2.compress(b"two\n") + bytes(zeros))
    assert texts(path) == ["one", "two"]


@pytest.mark.parametrize("kind", ["lz4", "tar in bz2", "UTF-16"])
def test_what_is_not_read_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    """From a file; `tests/faults/test_prediction.py` has pipes, and `tests/inputs/test_unsupported.py` every kind."""
    content = {
        "lz4": b"\x04\x22\x4d\x18" + b"a review\n" * 99,
        "tar in bz2": bz2.compress(b"name" + bytes(253) + b"ustar" + bytes(250) + b"a review\n"),
        "UTF-16": "a review\n".encode("utf-16"),
    }[kind]
    path = tmp_path / "reviews"
    path.write_bytes(content)
    with pytest.raises(PipelineError, match=r"reviews seems to be .*(lz4 -d|tar xf|iconv)"):
        texts(path)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"reviews.{form}"
    path.write_bytes(FORMS[form](REVIEWS))
    assert texts(path) == [text for _, text in REVIEWS]


@pytest.mark.parametrize("form", ["jsonl", "csv", "tsv.gz", "parquet", "arrow", "stream.arrow"])
def test_with_the_column_of_the_text_the_others_are_kept(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"reviews.{form}"
    path.write_bytes(FORMS[form](REVIEWS))
    with open_texts(path, "text") as found:
        batches = list(found)
    columns = [batch.columns for batch in batches if batch.columns is not None]
    assert len(columns) == len(batches)
    assert {*columns[0].schema.names} == {"id", "label"}
    rows = [row for column in columns for row in column.to_pylist()]
    assert [row["id"] for row in rows] == [text[:3] for _, text in REVIEWS]
    assert [int(row["label"]) for row in rows] == [label for label, _ in REVIEWS]


def test_every_row_gets_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    path.write_text('{"id": 1, "text": "one"}\nnonsense\n\n{"id": 2}\n{"id": 3, "text": null}\n{"text": "five"}\n')
    with open_texts(path, "text") as found:
        (batch,) = found
    assert batch.texts == ["one", "nonsense", "", "", "five"]
    assert batch.columns is not None
    assert batch.columns["id"].to_pylist() == [1, None, 2, 3, None]


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_bytes(FORMS["csv"](REVIEWS))
    with (
        pytest.raises(PipelineError, match=r"reviews\.csv has no column body; it has id, label, text"),
        open_texts(path, "body") as found,
    ):
        list(found)
    path = tmp_path / "reviews"
    path.write_bytes(b"id,review\n7,good\n")
    with pytest.raises(PipelineError, match="is no table with a column body"), open_texts(path, "body") as found:
        list(found)
