"""Formats that are not read, detected by the first bytes of a file, so that it is refused with a remedy.

Otherwise its bytes would be read as if they were reviews. The name of a file does not count: downloads are renamed, and
a pipe has none.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from sentiment_pipeline.errors import PipelineError

__all__ = ["HEAD_BYTES", "UnsupportedFormat", "detect_unsupported", "refuse_unsupported"]

HEAD_BYTES = 1 << 16  # of a file, enough for every format
_SUPPORTED = (
    "fastText lines (__label__2 text), CSV, TSV and JSON lines are read, also as .bz2, .gz, .xz, .zst and .zip, and "
    "Parquet and Arrow; to score, plain lines too"
)

_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_HTML = re.compile(rb"\s*<(!doctype html|html)\b", re.IGNORECASE)
_JSON_ARRAY = re.compile(rb"\s*\[\s*\{\s*\"")
_PICKLE = re.compile(rb"\x80[\x02-\x05].", re.DOTALL)


@dataclass(frozen=True)
class UnsupportedFormat:
    """A file format that is not read.

    Attributes:
        kind: what the file is, to follow "seems to be".
        remedy: how to turn it into something that is read; FILE stands for its name.
    """

    kind: str
    remedy: str


_ARCHIVE = "unpack it and give the file of reviews in it"
_TABLE = "write its reviews as lines __label__1 TEXT and __label__2 TEXT"
_OTHER = "give a file of reviews"
_ONCE = "decompress it once and give the file in it"
_UTF16 = UnsupportedFormat("UTF-16 or UTF-32 text", "convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW")

_SIGNATURES = (
    # What is read where it is a whole file, but not inside a compressed one.
    (b"\x1f\x8b", UnsupportedFormat("gzip-compressed", _ONCE)),
    (b"\xfd7zXZ\x00", UnsupportedFormat("xz-compressed", _ONCE)),
    (b"\x28\xb5\x2f\xfd", UnsupportedFormat("zstd-compressed", _ONCE)),
    (b"PK\x03\x04", UnsupportedFormat("a zip archive", _ONCE)),
    (b"PAR1", UnsupportedFormat("a Parquet table", _ONCE)),
    (b"ARROW1\x00\x00", UnsupportedFormat("an Arrow table", _ONCE)),
    (b"\xff\xff\xff\xff", UnsupportedFormat("an Arrow stream", _ONCE)),
    # What is not read at all.
    (b"]\x00\x00", UnsupportedFormat("lzma-compressed", "decompress it: unlzma -k FILE")),
    (b"\x04\x22\x4d\x18", UnsupportedFormat("lz4-compressed", "decompress it: lz4 -d FILE")),
    (b"\x1f\x9d", UnsupportedFormat("compressed by compress", "decompress it: uncompress FILE")),
    (b"\xff\x06\x00\x00sNaPpY", UnsupportedFormat("snappy-compressed", "decompress it first")),
    (b"PK\x05\x06", UnsupportedFormat("an empty zip archive", _OTHER)),
    (b"7z\xbc\xaf\x27\x1c", UnsupportedFormat("a 7z archive", _ARCHIVE)),
    (b"Rar!\x1a\x07", UnsupportedFormat("a rar archive", _ARCHIVE)),
    (b"Obj\x01", UnsupportedFormat("an Avro table", _TABLE)),
    (b"ORC", UnsupportedFormat("an ORC table", _TABLE)),
    (b"SQLite format 3\x00", UnsupportedFormat("an SQLite database", _TABLE)),
    (b"\x89HDF\r\n\x1a\n", UnsupportedFormat("an HDF5 file", _TABLE)),
    (b"\x93NUMPY", UnsupportedFormat("a NumPy array", _OTHER)),
    (b"%PDF-", UnsupportedFormat("a PDF", _OTHER)),
    (b"\x89PNG", UnsupportedFormat("a picture", _OTHER)),
    (b"\xff\xd8\xff", UnsupportedFormat("a picture", _OTHER)),
    (b"\x7fELF", UnsupportedFormat("a program", _OTHER)),
    (b"\xff\xfe", _UTF16),
    (b"\xfe\xff", _UTF16),
    (b"\x00\x00\xfe\xff", _UTF16),
)


def detect_unsupported(head: bytes) -> UnsupportedFormat | None:
    """The format of a file that begins with `head`; None if it may be one that is read.

    Args:
        head: the first `HEAD_BYTES` of the file, or all of a shorter one; for a compressed one, of the text in it.

    >>> detect_unsupported(b"%PDF-1.7").kind
    'a PDF'
    >>> detect_unsupported(b"__label__2 I liked it\\n") is None
    True
    """
    for signature, unsupported in _SIGNATURES:
        if head.startswith(signature):
            return unsupported
    if head[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        return UnsupportedFormat("a tar archive", "unpack it (tar xf FILE) and give the file of reviews in it")
    if _PICKLE.match(head) and b"\n__label__" not in head:
        return UnsupportedFormat("a Python pickle", _OTHER)
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < 1 << 32:
        return UnsupportedFormat("a safetensors file", _OTHER)
    if _is_utf16_without_mark(head):
        return _UTF16
    if _HTML.match(head):
        return UnsupportedFormat(
            "an HTML page", "save the file itself; a download that asks to log in gives a page instead"
        )
    if _JSON_ARRAY.match(head):
        return UnsupportedFormat("a JSON array", "write an object a line: jq -c '.[]' FILE > NEW")
    if head.count(b"\r") > 1 and b"\n" not in head:
        return UnsupportedFormat("text with line ends of CR alone", "convert it: tr '\\r' '\\n' < FILE > NEW")
    return None


def refuse_unsupported(head: bytes, path: Path, within: str = "") -> None:
    """Refuse a file of a format that is not read.

    Args:
        head: as for `detect_unsupported`.
        path: of the file, or a name for it, for the error.
        within: what the head was taken out of, for example `a .bz2 of `.

    Raises:
        PipelineError: the format is not supported; says what the file seems to be and how to convert it.
    """
    if unsupported := detect_unsupported(head):
        remedy = unsupported.remedy.replace("FILE", path.name)
        raise PipelineError(f"{path} seems to be {within}{unsupported.kind}; {remedy} ({_SUPPORTED})")


def _is_utf16_without_mark(head: bytes) -> bool:
    """Whether every second byte is NUL, as in ASCII text in UTF-16."""
    pairs = len(head) // 2
    nuls = [head[start : 2 * pairs : 2].count(0) for start in (0, 1)]
    return pairs > 4 and max(nuls) > 0.7 * pairs and min(nuls) < 0.1 * pairs
