"""Counts and ids compared with a plain count of all tokens, on random texts in random shards and parts."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pipeline.text.config import COUNTED, VocabularyConfig
from sentiment_pipeline.text.dictionary import MergedDictionary, write_merged, write_shard
from sentiment_pipeline.text.split import TRAIN, Splits
from sentiment_pipeline.text.tables import REVIEWS, map_arrow, parquet_writer
from sentiment_pipeline.text.tokenizer import word_tokenizer
from sentiment_pipeline.text.vocabulary import write_counts, write_vocabulary

TEXT = st.lists(st.sampled_from(["good", "bad", "can't", "u.s.", "the", "...", "00", "end.", "(x)"]), max_size=8)
SHARDS = st.lists(st.lists(TEXT.map(" ".join), max_size=5), min_size=1, max_size=3)


def splits_in_order(splits: Sequence[int]) -> Splits:
    """The splits of the reviews of a shard, whatever their texts are."""
    return lambda hashes, row: np.array(splits, np.uint8)[row : row + len(hashes)]


def make(
    folder: Path, shards: list[list[str]], counted: list[list[bool]], config: VocabularyConfig, parts: int = 2
) -> tuple[dict[str, list[object]], list[list[int]]]:
    """The published vocabulary, and the ids of each chunk of the merged dictionary."""
    facts = []
    for number, texts in enumerate(shards):
        with parquet_writer(folder / f"{number}.parquet", REVIEWS) as file:
            file.write_table(pa.table([[0] * len(texts), texts], REVIEWS))
        facts.append(
            write_shard(
                folder / f"{number}.parquet", len(texts), folder / f"{number}.chunks", folder / f"{number}.dictionary"
            )
        )
        write_counts(
            folder / f"{number}.chunks",
            facts[-1]["distinct"],
            splits_in_order([TRAIN if each else TRAIN + 1 for each in counted[number]]),
            folder / f"{number}.counts",
        )
    names = range(len(shards))
    sizes = [
        write_merged(
            [folder / f"{number}.dictionary" for number in names],
            part,
            parts,
            folder / f"tokens-{part}",
            folder / f"rows-{part}",
        )["chunks"]
        for part in range(parts)
    ]
    merged = MergedDictionary([folder / f"rows-{part}" for part in range(parts)], sizes)
    found = write_vocabulary(
        config,
        merged,
        [folder / f"tokens-{part}" for part in range(parts)],
        [folder / f"{number}.counts" for number in names],
        folder / "vocabulary.parquet",
        folder / "chunk-ids",
    )
    table = pq.read_table(folder / "vocabulary.parquet").to_pydict()
    assert found["size"] == len(table["id"])
    with map_arrow(folder / "chunk-ids") as (batch,):
        return table, batch["ids"].to_pylist()


def plainly(
    shards: list[list[str]], counted: list[list[bool]], config: VocabularyConfig
) -> tuple[list[str], list[int]]:
    """The tokens and counts, by counting all tokens in order; equal counts stay in the order of first appearance."""
    counts: Counter[str] = Counter()
    for texts, which in zip(shards, counted, strict=True):
        for text, is_counted in zip(texts, which, strict=True):
            counts.update(word_tokenizer()(text) if is_counted else [])
    kept = [(token, count) for token, count in counts.most_common() if count >= config.min_count]
    kept = kept[: config.max_size] if config.max_size else kept
    return [token for token, _ in kept], [count for _, count in kept]


@settings(max_examples=40)
@given(shards=SHARDS, data=st.data(), min_count=st.integers(1, 3), max_size=st.integers(0, 5), parts=st.integers(1, 4))
def test_counts_and_order_are_the_plain_ones(
    tmp_path_factory: pytest.TempPathFactory,
    shards: list[list[str]],
    data: st.DataObject,
    min_count: int,
    max_size: int,
    parts: int,
) -> None:
    counted = [data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts))) for texts in shards]
    config = VocabularyConfig(COUNTED, min_count=min_count, max_size=max_size, unknown="_UNK")
    table, _ = make(tmp_path_factory.mktemp("vocabulary"), shards, counted, config, parts)
    tokens, counts = plainly(shards, counted, config)
    assert table["token"] == ["_PAD", "_UNK", *tokens]
    assert table["count"] == [0, 0, *counts]
    assert table["id"] == list(range(len(tokens) + 2))


@pytest.mark.parametrize(("unknown", "unknown_id"), [("_PAD", 0), ("_UNK", 1)])
def test_unknown_tokens_get_the_id_of_the_setting(tmp_path: Path, unknown: str, unknown_id: int) -> None:
    config = VocabularyConfig(COUNTED, min_count=1, max_size=1, unknown=unknown)  # type: ignore[arg-type]
    table, ids = make(tmp_path, [["good good bad the"]], [[True]], config)
    assert table["token"] == ["_PAD", "_UNK", "good"]
    assert sorted(each for chunk in ids for each in chunk) == [unknown_id, unknown_id, 2]


def test_a_vocabulary_without_reviews_has_the_special_tokens(tmp_path: Path) -> None:
    table, ids = make(tmp_path, [["", "good"]], [[True, False]], VocabularyConfig(COUNTED, 1, 0, "_UNK"))
    assert table == {"token": ["_PAD", "_UNK"], "count": [0, 0], "id": [0, 1]}
    assert ids == [[1]]
