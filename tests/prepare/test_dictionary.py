from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sentiment_pipeline.prepare.dictionary import Union, write_shard, write_union
from sentiment_pipeline.prepare.tables import REVIEWS, mapped, parquet_writer
from sentiment_pipeline.prepare.tokenizer import word_tokenizer

SHARDS = [["the film was good. really", "good, the end"], ["mr. smith went", "the film", ""]]


def shard(folder: Path, number: int, count: int | None = None) -> dict[str, int]:
    texts = SHARDS[number]
    with parquet_writer(folder / f"{number}.parquet", REVIEWS) as file:
        for text in texts:  # a row group each
            file.write_table(pa.table([[0], [text]], REVIEWS))
    return write_shard(folder / f"{number}.parquet", len(texts) if count is None else count,
                       folder / f"{number}.chunks", folder / f"{number}.dictionary")


def chunks_of(folder: Path, number: int) -> list[list[str]]:
    with mapped(folder / f"{number}.dictionary") as (words,), mapped(folder / f"{number}.chunks") as batches:
        dictionary = words["chunk"].to_pylist()
        return [[dictionary[code] for code in codes] for batch in batches for codes in batch["chunks"].to_pylist()]


@pytest.mark.parametrize("number", [0, 1])
def test_a_shards_codes_give_its_texts(tmp_path: Path, number: int) -> None:
    facts = shard(tmp_path, number)
    found = chunks_of(tmp_path, number)
    assert ["".join(chunk[:-1] + " " for chunk in chunks).strip() for chunks in found] == SHARDS[number]
    assert facts["chunks"] == sum(map(len, found))
    with mapped(tmp_path / f"{number}.dictionary") as (words,):
        assert facts["distinct"] == len(words) == len(set(words["chunk"].to_pylist()))
        assert (np.diff(words["hash"].to_numpy().astype(np.int64)) >= 0).all()


def test_only_the_reviews_that_count_are_cut(tmp_path: Path) -> None:
    shard(tmp_path, 0, count=1)
    assert len(chunks_of(tmp_path, 0)) == 1


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_the_union_tokenizes_each_chunk_however_it_is_parted(tmp_path: Path, parts: int) -> None:
    facts = [shard(tmp_path, number) for number in range(2)]
    dictionaries = [tmp_path / f"{number}.dictionary" for number in range(2)]
    sizes, tokens = [], []
    for part in range(parts):
        facts_of_part = write_union(dictionaries, part, parts, tmp_path / f"tokens-{part}", tmp_path / f"rows-{part}")
        sizes.append(facts_of_part["chunks"])
        with mapped(tmp_path / f"tokens-{part}") as (batch,):
            tokens += batch["tokens"].to_pylist()
    union = Union([tmp_path / f"rows-{part}" for part in range(parts)], sizes)
    assert len(union) == len(tokens) < sum(each["distinct"] for each in facts), "what both have is there once"
    for number in range(2):
        rows = union.of_shard(number)
        with mapped(dictionaries[number]) as (words,):
            place = {chunk: row for chunk, row in zip(words["chunk"].to_pylist(), rows.tolist(), strict=True)}
        for text, chunks in zip(SHARDS[number], chunks_of(tmp_path, number), strict=True):
            assert [token for chunk in chunks for token in tokens[place[chunk]]] == word_tokenizer()(text)
