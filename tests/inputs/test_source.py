import bz2
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.inputs.source import inspect
from tests.inputs.forms import COMPRESSIONS, FORMS, REVIEWS

CERTAIN = InputConfig(text="", label="", labels="")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("reviews.bz2", b"", "is empty"),
        ("reviews.txt", b"", "is empty"),
        ("reviews.bz2", b"__label__1 text\n", "is not a .bz2 file"),
        ("reviews.bz2", b"BZh", "is not a .bz2 file"),
    ],
)
def test_files_that_are_not_what_they_seem(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(PipelineError, match=message) as failure:
        inspect(path, CERTAIN)
    assert str(path) in str(failure.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.bz2", tmp_path):
        with pytest.raises(PipelineError, match=f"cannot read {path}"):
            inspect(path, CERTAIN)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "reviews"
    path.write_bytes(b"a\n")
    path.chmod(0)
    with pytest.raises(PipelineError, match="permission denied; make it readable"):
        inspect(path, CERTAIN)


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS)
@pytest.mark.parametrize("within", ["gz", "zip", "parquet", "arrow"])
def test_what_is_compressed_is_text(within: str, compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    content = FORMS[within](REVIEWS) if within in FORMS else COMPRESSIONS[within](b"__label__1 bad\n")
    path = tmp_path / "train"
    path.write_bytes(compress(content))
    with pytest.raises(PipelineError, match=r"train seems to be a \..* of .*; decompress it once"):
        inspect(path, CERTAIN)


def test_what_is_not_read_is_refused_with_its_format(tmp_path: Path) -> None:
    path = tmp_path / "train.ft.txt.bz2"
    path.write_bytes(bz2.compress(b"%PDF-1.7"))
    with pytest.raises(
        PipelineError, match=r"train\.ft\.txt\.bz2 seems to be a \.bz2 of a PDF; give a file of reviews"
    ):
        inspect(path, CERTAIN)
