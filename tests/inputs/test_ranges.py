import bz2
import random
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs import ranges as module
from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.inputs.parsed import LONGEST_LINE
from sentiment_pipeline.inputs.ranges import require_unchanged, text_of_ranges
from sentiment_pipeline.inputs.source import inspect
from sentiment_pipeline.inputs.unsupported import detect_unsupported

CERTAIN = InputConfig(text="", label="", labels="")


def text_of(path: Path, size: int) -> list[bytes]:
    """The text of each range, read by itself."""
    source = inspect(path, CERTAIN)
    return [
        b"".join(text for _, text in text_of_ranges(source, range(index, index + 1), size))
        for index in range(source.range_count(size))
    ]


def streams(texts: list[bytes], level: int) -> bytes:
    return b"".join(bz2.compress(text, level) for text in texts)


TEXT = st.lists(st.text("ab\n\r", max_size=30).map(str.encode), min_size=1, max_size=6).filter(any)


@given(TEXT, st.integers(1, 9), st.integers(1, 200))
def test_ranges_of_any_size_are_the_text(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes], level: int, size: int
) -> None:
    assume(detect_unsupported(b"".join(texts)) is detect_unsupported(texts[0]) is None)
    path = tmp_path_factory.mktemp("source") / "reviews"
    path.write_bytes(streams(texts, level))
    assert b"".join(text_of(path, size)) == b"".join(texts)
    path.write_bytes(b"".join(texts))
    assert b"".join(text_of(path, size)) == b"".join(texts)


@pytest.mark.parametrize("size", [1, 1_000, 30_000, 99_999, 150_000, 10_000_000])
def test_ranges_of_a_file_of_many_blocks(tmp_path: Path, size: int) -> None:
    draw = random.Random(0)
    lines = [draw.randbytes(draw.randrange(3_000)).replace(b"\n", b"") + b"\n" for _ in range(200)]
    path = tmp_path / "reviews.bz2"
    path.write_bytes(bz2.compress(b"".join(lines), 1))
    size = max(size, path.stat().st_size // 500)
    ranges = text_of(path, size)
    assert b"".join(ranges) == b"".join(lines)
    assert all(text.endswith(b"\n") for text in ranges if text)


def test_a_line_longer_than_any_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BUFFER_BYTES", 1 << 16)
    text = b"a\n" + b"x" * (3 * LONGEST_LINE) + b"\nb\n"
    compressed = streams([text[start : start + 100_000] for start in range(0, len(text), 100_000)], 9)
    for data, name in ((text, "reviews"), (compressed, "reviews.bz2")):
        path = tmp_path / name
        path.write_bytes(data)
        source = inspect(path, CERTAIN)
        size = 1 << 16 if name == "reviews" else 1_000
        buffers = [text for _, text in text_of_ranges(source, range(source.range_count(size)), size)]
        assert max(map(len, buffers)) <= LONGEST_LINE + (1 << 20) + 2
        lines = b"".join(buffers).split(b"\n")
        assert [len(line) > LONGEST_LINE for line in lines] == [False, True, False, False]
        assert (lines[0], lines[2], lines[3]) == (b"a", b"b", b"")


def test_a_file_without_line_feeds(tmp_path: Path) -> None:
    path = tmp_path / "reviews"
    path.write_bytes(b"x" * 5_000_000)
    first, *others = text_of(path, 1 << 20)
    assert len(first) == LONGEST_LINE + 1
    assert not any(others)


def test_a_byte_order_mark_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "reviews"
    path.write_bytes(b"\xef\xbb\xbf__label__1 a\n\xef\xbb\xbfb\n")
    assert b"".join(text_of(path, 8)) == b"__label__1 a\n\xef\xbb\xbfb\n"


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "reviews"
    path.write_bytes(b"a\nb\n")
    source = inspect(path, CERTAIN)
    with path.open("ab") as file:
        file.write(b"c\n")
    with pytest.raises(PipelineError, match="was changed while it was read"):
        require_unchanged(source)


def test_a_bz2_file_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / "reviews.txt"
    path.write_bytes(bz2.compress(b"a\n"))
    assert text_of(path, 100) == [b"a\n"]


@pytest.mark.parametrize("zeros", [1, 512, 3 << 20])
def test_zero_padding_after_the_last_stream_is_skipped(tmp_path: Path, zeros: int) -> None:
    path = tmp_path / "reviews.bz2"
    path.write_bytes(streams([b"one\n", b"two\n"], 9) + bytes(zeros))
    assert b"".join(text_of(path, 1 + path.stat().st_size // 3)) == b"one\ntwo\n"
