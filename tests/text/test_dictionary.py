from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sentiment_pipeline.text.dictionary import MergedDictionary, write_merged, write_shard
from sentiment_pipeline.text.tables import REVIEWS, map_arrow, parquet_writer
from sentiment_pipeline.text.tokenizer import word_tokenizer

SHARDS = [["the film was good. really", "good, the end"], ["mr. smith went", "the film", ""]]


def shard(folder: Path, number: int, count: int | None = None) -> dict[str, int]:
    texts = SHARDS[number]
    with parquet_writer(folder / f"{number}.parquet", REVIEWS) as file:
        for text in texts:  # a row group each
            file.write_table(pa.table([[0], [text]], REVIEWS))
    return write_shard(
        folder / f"{number}.parquet",
        len(texts) if count is None else count,
        folder / f"{number}.chunks",
        folder / f"{number}.dictionary",
    )


def chunks_of(folder: Path, number: int) -> list[list[str]]:
    with map_arrow(folder / f"{number}.dictionary") as (words,), map_arrow(folder / f"{number}.chunks") as batches:
        dictionary = words["chunk"].to_pylist()
        return [[dictionary[code] for code in codes] for batch in batches for codes in batch["chunks"].to_pylist()]


@pytest.mark.parametrize("number", [0, 1])
def test_the_codes_of_a_shard_are_its_texts(tmp_path: Path, number: int) -> None:
    facts = shard(tmp_path, number)
    found = chunks_of(tmp_path, number)
    assert ["".join(chunk[:-1] + " " for chunk in chunks).strip() for chunks in found] == SHARDS[number]
    assert facts["chunks"] == sum(map(len, found))
    with map_arrow(tmp_path / f"{number}.dictionary") as (words,):
        assert facts["distinct"] == len(words) == len(set(words["chunk"].to_pylist()))
        assert (np.diff(words["hash"].to_numpy().astype(np.int64)) >= 0).all()


def test_only_the_first_reviews_are_split(tmp_path: Path) -> None:
    shard(tmp_path, 0, count=1)
    assert len(chunks_of(tmp_path, 0)) == 1


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_the_merged_dictionary_has_the_tokens_of_each_chunk(tmp_path: Path, parts: int) -> None:
    facts = [shard(tmp_path, number) for number in range(2)]
    dictionaries = [tmp_path / f"{number}.dictionary" for number in range(2)]
    sizes, tokens = [], []
    for part in range(parts):
        facts_of_part = write_merged(dictionaries, part, parts, tmp_path / f"tokens-{part}", tmp_path / f"rows-{part}")
        sizes.append(facts_of_part["chunks"])
        with map_arrow(tmp_path / f"tokens-{part}") as (batch,):
            tokens += batch["tokens"].to_pylist()
    merged = MergedDictionary([tmp_path / f"rows-{part}" for part in range(parts)], sizes)
    assert len(merged) == len(tokens) < sum(each["distinct"] for each in facts), "shared chunks are there once"
    for number in range(2):
        rows = merged.of_shard(number)
        with map_arrow(dictionaries[number]) as (words,):
            row_of = {chunk: row for chunk, row in zip(words["chunk"].to_pylist(), rows.tolist(), strict=True)}
        for text, chunks in zip(SHARDS[number], chunks_of(tmp_path, number), strict=True):
            assert [token for chunk in chunks for token in tokens[row_of[chunk]]] == word_tokenizer()(text)
