from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_pipeline.text.tables import (
    ENCODED,
    contiguous,
    map_arrow,
    parquet_writer,
    row_groups,
    to_numpy,
    write_arrow,
)


def test_parquet_by_row_group(tmp_path: Path) -> None:
    rows = [{"label": 1, "text": "so", "token_ids": [2, 70000]}, {"label": 0, "text": "", "token_ids": []}]
    with parquet_writer(tmp_path / "a.parquet", ENCODED) as file:
        for row in rows:
            file.write_table(pa.Table.from_pylist([row], ENCODED))
    assert [table.to_pylist() for table in row_groups(tmp_path / "a.parquet")] == [[row] for row in rows]
    assert pl.read_parquet(tmp_path / "a.parquet").to_dicts() == rows
    assert "BYTE_STREAM_SPLIT" in pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0).column(2).encodings


def test_arrow_files_are_mapped_batch_by_batch(tmp_path: Path) -> None:
    write_arrow(tmp_path / "a.arrow", ({"row": pa.array([n, n + 1])} for n in range(3)))
    with map_arrow(tmp_path / "a.arrow") as batches:
        assert [to_numpy(batch["row"]).tolist() for batch in batches] == [[0, 1], [1, 2], [2, 3]]


def test_contiguous_begins_at_the_beginning() -> None:
    column = pa.chunked_array([pa.array(["a", "b"]), pa.array(["c"])])
    assert contiguous(column).to_pylist() == ["a", "b", "c"]
    assert contiguous(column.slice(1)).offset == 0
