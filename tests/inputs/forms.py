"""The same reviews in every format that is read, and in every compression."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Review = tuple[int, str]  # label 0 or 1, text


def lines(reviews: Sequence[Review]) -> bytes:
    return "".join(f"__label__{label + 1} {text}\n" for label, text in reviews).encode()


def json_lines(reviews: Sequence[Review]) -> bytes:
    return "".join(
        json.dumps({"label": label, "text": text, "id": text[:3]}) + "\n" for label, text in reviews
    ).encode()


def delimited(reviews: Sequence[Review], delimiter: str = ",") -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["id", "label", "text"])
    writer.writerows([text[:3], label, text] for label, text in reviews)
    return file.getvalue().encode()


def published(reviews: Sequence[Review]) -> bytes:
    """As the data set was first published."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([label + 1, "", text] for label, text in reviews)
    return file.getvalue().encode()


def table(reviews: Sequence[Review]) -> pa.Table:
    return pa.table({
        "id": [text[:3] for _, text in reviews],
        "label": [label for label, _ in reviews],
        "text": [text for _, text in reviews],
    })  # fmt: skip


def parquet(reviews: Sequence[Review]) -> bytes:
    file = io.BytesIO()
    pq.write_table(table(reviews), file, row_group_size=7)
    return file.getvalue()


def arrow(reviews: Sequence[Review], new: Callable[..., Any] = pa.ipc.new_file) -> bytes:
    file = io.BytesIO()
    found = table(reviews)
    with new(file, found.schema) as writer:
        writer.write_table(found, max_chunksize=7)
    return file.getvalue()


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", b"")
        archive.writestr("folder/reviews", data)
    return file.getvalue()


TEXTS: dict[str, Callable[[Sequence[Review]], bytes]] = {
    "ft.txt": lines,
    "jsonl": json_lines,
    "csv": delimited,
    "tsv": lambda reviews: delimited(reviews, "\t"),
    "published.csv": published,
}
TABLES: dict[str, Callable[[Sequence[Review]], bytes]] = {
    "parquet": parquet,
    "arrow": arrow,
    "stream.arrow": lambda reviews: arrow(reviews, pa.ipc.new_stream),
}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "bz2": bz2.compress,
    "gz": gzip.compress,
    "xz": lzma.compress,
    "zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    "zip": zipped,
}


def _compressed(make: Callable[[Sequence[Review]], bytes], suffix: str) -> Callable[[Sequence[Review]], bytes]:
    return lambda reviews: COMPRESSIONS[suffix](make(reviews))


FORMS = {
    **TEXTS,
    **TABLES,
    **{f"{name}.{suffix}": _compressed(make, suffix) for name, make in TEXTS.items() for suffix in COMPRESSIONS},
}
REVIEWS: list[Review] = [
    (number % 2, f'{number} stars, "said" the café\'s owner\tto me{" and others" * (number % 5)}')
    for number in range(60)
]
