"""Every compression: whole, in several streams, padded, cut short, damaged, followed by something else."""

import io
import zipfile
from pathlib import Path

import pytest

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.compression import compression_of, damage_named, open_compressed, seekable
from tests.inputs.forms import COMPRESSIONS

TEXT = b"".join(b"review number %d\n" % number for number in range(20_000))
STREAMS = [name for name in COMPRESSIONS if name != "zip"]


def read(data: bytes, compression: str) -> bytes:
    with damage_named(Path("reviews")):
        return io.BufferedReader(open_compressed(io.BytesIO(data), compression, Path("reviews"))).read()


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_it_is_recognized_and_read(name: str) -> None:
    data = COMPRESSIONS[name](TEXT)
    assert compression_of(data[:64]) == name
    assert read(data, name) == TEXT
    assert read(COMPRESSIONS[name](b""), name) == b""


@pytest.mark.parametrize("text", [b"", b"BZh is how a .bz2 begins", b"PK", b"__label__1 x"])
def test_text_is_not_compressed(text: bytes) -> None:
    assert compression_of(text) == ""


@pytest.mark.parametrize("name", STREAMS)
def test_several_streams_are_one_text(name: str) -> None:
    compress = COMPRESSIONS[name]
    assert read(compress(TEXT[:99]) + compress(b"") + compress(TEXT[99:]), name) == TEXT


@pytest.mark.parametrize("name", ["bz2", "gz", "xz"])
def test_zero_padding_is_no_damage(name: str) -> None:
    compress = COMPRESSIONS[name]
    assert read(compress(TEXT) + bytes(512), name) == TEXT


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_what_is_cut_short_is_damaged(name: str) -> None:
    data = COMPRESSIONS[name](TEXT)
    for cut in (11, len(data) // 2, len(data) - 1):
        with pytest.raises(PipelineError, match=r"reviews is damaged: .*; make or download the file again"):
            read(data[:cut], name)


@pytest.mark.parametrize("name", STREAMS)
def test_what_follows_a_stream_must_be_one(name: str) -> None:
    with pytest.raises(PipelineError, match="reviews is damaged"):
        read(COMPRESSIONS[name](TEXT) + b"something else", name)


@pytest.mark.parametrize("name", ["bz2", "gz", "xz", "zip"])
def test_a_changed_byte_is_damage(name: str) -> None:
    data = bytearray(COMPRESSIONS[name](TEXT))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(PipelineError, match="reviews is damaged"):
        read(bytes(data), name)


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_the_position_grows_to_the_size_of_the_file(name: str) -> None:
    data = COMPRESSIONS[name](TEXT)
    stream = open_compressed(io.BytesIO(data), name, Path("reviews"))
    positions = [0]
    while stream.read(10_000):
        positions.append(stream.position)
    assert positions == sorted(positions)
    assert len(data) / 2 < positions[-1] <= len(data)


@pytest.mark.parametrize("names", [[], ["a", "b"]])
def test_an_archive_of_other_than_one_file_is_refused(names: list[str]) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    with pytest.raises(PipelineError, match=f"reviews is a zip archive of {len(names)} files; unpack it"):
        read(file.getvalue(), "zip")


def test_a_pipe_becomes_seekable(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    monkeypatch.setattr("sentiment_pipeline.inputs.compression._ZIP_COPY", 1000)
    for text in (TEXT, TEXT[:500]):
        copy = seekable(Pipe(text))
        assert copy.seekable()
        assert copy.read() == text
