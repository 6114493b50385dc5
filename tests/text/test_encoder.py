from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.encoder import TextEncoder
from sentiment_pipeline.text.tables import VOCABULARY, parquet_writer

TOKENS = ["_PAD", "_UNK", "not", ".", "good", "url", "can", "00", "``"]


@pytest.fixture
def encoder(tmp_path: Path) -> TextEncoder:
    with parquet_writer(tmp_path / "vocabulary.parquet", VOCABULARY) as file:
        file.write_table(pa.table([TOKENS, [0] * len(TOKENS), range(len(TOKENS))], VOCABULARY))
    return TextEncoder(tmp_path / "vocabulary.parquet", CleaningConfig(html_breaks=True), unknown_id=1)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Not GOOD.", [2, 4, 3]),
        ("", []),
        ("   ", []),
        ("cannot 10", [6, 2, 7]),
        ("good<br />not", [4, 2]),
        ("see www.x.com", [1, 1, 5, 1]),
        ('"good', [8, 4]),
        ("not\ngood", [2, 4]),
        ("хорошо 漢字", [1, 1]),
        ("_PAD _UNK", [1, 1]),
    ],
)
def test_texts(encoder: TextEncoder, text: str, ids: list[int]) -> None:
    encoded = encoder.encode([text])
    assert encoded.ids.tolist() == ids
    assert encoded.offsets.tolist() == [0, len(ids)]


def test_many_texts_are_encoded_as_each_alone(encoder: TextEncoder) -> None:
    texts = ["Not good.", "", "mr. good. not", "it is ''good''", "good"] * 3
    encoded = encoder.encode(texts)
    assert [encoded.ids[start:end].tolist() for start, end in pairwise(encoded.offsets)] == [
        encoder.encode([text]).ids.tolist() for text in texts
    ]


def test_no_texts(encoder: TextEncoder) -> None:
    encoded = encoder.encode([])
    assert (encoded.ids.tolist(), encoded.offsets.tolist()) == ([], [0])
