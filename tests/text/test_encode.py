"""Encoded shards against NLTK's tokens looked up one by one."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pipeline.layout import SPLITS
from sentiment_pipeline.text.config import COUNTED, VocabularyConfig
from sentiment_pipeline.text.dictionary import MergedDictionary
from sentiment_pipeline.text.encode import ids_of_dictionary, ids_of_merged, write_encoded
from sentiment_pipeline.text.tokenizer import word_tokenizer
from tests.text.test_vocabulary import SHARDS, make, splits_in_order


@settings(max_examples=40)
@given(shards=SHARDS, data=st.data(), min_count=st.integers(1, 2))
def test_each_review_goes_to_its_split_with_the_ids_of_its_tokens(
    tmp_path_factory: pytest.TempPathFactory, shards: list[list[str]], data: st.DataObject, min_count: int
) -> None:
    folder, everywhere = tmp_path_factory.mktemp("encode"), [[True] * len(texts) for texts in shards]
    table, ids = make(folder, shards, everywhere, VocabularyConfig(COUNTED, min_count, 0, "_UNK"))
    id_of = dict(zip(table["token"], table["id"], strict=True))
    sizes = [pa.ipc.open_file(str(folder / f"tokens-{part}")).get_batch(0).num_rows for part in range(2)]
    merged = MergedDictionary([folder / f"rows-{part}" for part in range(2)], sizes)
    assert len(merged) == len(ids)
    for number, texts in enumerate(shards):
        splits = data.draw(st.lists(st.integers(0, 2), min_size=len(texts), max_size=len(texts)))
        outputs = {SPLITS[each]: folder / f"{number}-{SPLITS[each]}.parquet" for each in set(splits)}
        merged_ids = ids_of_merged(merged.of_shard(number), folder / "chunk-ids")
        own_ids = ids_of_dictionary(folder / f"{number}.dictionary", folder / "vocabulary.parquet", "_UNK")
        assert (merged_ids.ids.tolist(), merged_ids.lengths.tolist()) == (
            own_ids.ids.tolist(),
            own_ids.lengths.tolist(),
        )
        counts = write_encoded(
            folder / f"{number}.parquet",
            folder / f"{number}.chunks",
            data.draw(st.sampled_from([merged_ids, own_ids])),
            splits_in_order(splits),
            outputs,
        )
        for split, path in outputs.items():
            chosen = [text for text, each in zip(texts, splits, strict=True) if SPLITS[each] == split]
            expected = [[id_of.get(token, 1) for token in word_tokenizer()(text)] for text in chosen]
            rows = pq.read_table(path).to_pydict()
            assert (rows["text"], rows["token_ids"]) == (chosen, expected)
            assert counts[split] == {"reviews": len(chosen), "tokens": sum(map(len, expected))}
