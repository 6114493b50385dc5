"""Every format that is not read is detected, as real programs write it, and lines of text never are."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import torch
from safetensors.torch import save

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.unsupported import detect_unsupported, refuse_unsupported
from tests.inputs.forms import zipped

LINES = b"".join(b"__label__%d review number %d\n" % (1 + number % 2, number) for number in range(50))
TABLE = pl.DataFrame({"label": [0, 1], "text": ["bad", "good"]})


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def tar() -> bytes:
    def write(buffer: io.BytesIO) -> None:
        with tarfile.open(fileobj=buffer, mode="w:") as archive:
            member = tarfile.TarInfo("train.ft.txt")
            member.size = len(LINES)
            archive.addfile(member, io.BytesIO(LINES))

    return written(write)


def database(folder: Path) -> bytes:
    with sqlite3.connect(folder / "reviews.db") as connection:
        connection.execute("create table reviews (text)")
    return (folder / "reviews.db").read_bytes()


UNSUPPORTED = {
    "lzma": lambda: lzma.compress(LINES, lzma.FORMAT_ALONE),
    "tar": tar,
    "gzip": lambda: gzip.compress(LINES),
    "xz": lambda: lzma.compress(LINES),
    "zstd": lambda: pa.compress(LINES, "zstd", asbytes=True),
    "zip": lambda: zipped(LINES),
    "Parquet": lambda: written(TABLE.write_parquet),
    "Arrow table": lambda: written(TABLE.write_ipc),
    "Arrow stream": lambda: written(TABLE.write_ipc_stream),
    "Avro": lambda: written(TABLE.write_avro),
    "NumPy": lambda: written(lambda buffer: np.save(buffer, np.arange(3))),
    "pickle": lambda: pickle.dumps(["good", "bad"]),
    "safetensors": lambda: save({"weight": torch.zeros(2)}),
    "UTF-16": lambda: LINES.decode().encode("utf-16"),
    "UTF-16 ": lambda: LINES.decode().encode("utf-16-le"),
    "UTF-16  ": lambda: LINES.decode().encode("utf-16-be"),
    "UTF-32": lambda: LINES.decode().encode("utf-32"),
    "HTML": lambda: b"\n<!DOCTYPE html>\n<title>Kaggle</title>",
    "JSON array": lambda: json.dumps([{"text": "good", "label": 1}], indent=1).encode(),
    "CR alone": lambda: LINES.replace(b"\n", b"\r"),
}


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_a_format_that_is_not_read_is_named(kind: str) -> None:
    unsupported = detect_unsupported(UNSUPPORTED[kind]())
    assert unsupported is not None
    assert kind.strip().lower() in unsupported.kind.lower()


def test_a_database_is_named(tmp_path: Path) -> None:
    unsupported = detect_unsupported(database(tmp_path))
    assert unsupported is not None and "SQLite" in unsupported.kind


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        b"",
        b"\n",
        b"\xef\xbb\xbf" + LINES,
        LINES.replace(b"\n", b"\r\n"),
        b"a review with a carriage \r return\nand one without\n",
        b'"2" stars, "why" not more\n',
        b"{not json}\n",
        b"<b>bold</b> words\n",
        b"\xc2\xa1bueno!\n" * 20,
        b"Caf\xe9 in Latin-1, which is scored with a replacement character\n",
        b"__label__2 a NUL \x00 byte in a line\n" * 3,
        b"PARIS was great\nPKzip too\n",
    ],
)
def test_lines_of_text_are_not_refused(text: bytes) -> None:
    assert detect_unsupported(text) is None
    assert detect_unsupported(bz2.decompress(bz2.compress(text))) is None


def test_the_error_says_what_it_is_and_how_to_convert_it(tmp_path: Path) -> None:
    path = tmp_path / "train.ft.txt.lz4"
    with pytest.raises(PipelineError) as error:
        refuse_unsupported(b"\x04\x22\x4d\x18" + LINES, path)
    assert str(error.value).startswith(f"{path} seems to be lz4-compressed; decompress it: lz4 -d train.ft.txt.lz4 (")
    assert "CSV, TSV and JSON lines are read" in str(error.value)
    with pytest.raises(PipelineError, match=r"seems to be a \.bz2 of a tar archive; unpack it \(tar xf t\.tar\.bz2\)"):
        refuse_unsupported(tar(), tmp_path / "t.tar.bz2", "a .bz2 of ")
