from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.encoder import TextEncoder
from sentiment_pipeline.text.tables import VOCABULARY, parquet_writer

PIECES = [
    "Good",
    " ",
    ".",
    "not ",
    "10",
    "<br />",
    "Mr. ",
    "isn't",
    "www.a.com ",
    '"',
    "''",
    "can",
    "not. ",
    "İ",
    "Σ",
    "?",
]
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
    for encode in (encoder.encode, encoder._encode_few, encoder._encode_many):
        encoded = encode([text.replace("\n", " ")])
        assert encoded.ids.tolist() == ids
        assert encoded.offsets.tolist() == [0, len(ids)]
    assert encoder.encode([text]).ids.tolist() == ids


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the encoder keeps nothing
@given(st.lists(st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join), max_size=4))
def test_few_texts_have_the_ids_that_many_have(encoder: TextEncoder, texts: list[str]) -> None:
    texts = [text.replace("\n", " ") for text in texts]
    few, many = encoder._encode_few(texts), encoder._encode_many(texts)
    assert few.ids.dtype == many.ids.dtype
    assert few.ids.tolist() == many.ids.tolist()
    assert few.offsets.tolist() == many.offsets.tolist()


def test_many_texts_are_encoded_at_once(encoder: TextEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "_encode_few", lambda texts: pytest.fail("one by one"))
    assert encoder.encode(["good "] * 400).ids.tolist() == [4] * 400


def test_many_texts_are_encoded_as_each_alone(encoder: TextEncoder) -> None:
    texts = ["Not good.", "", "mr. good. not", "it is ''good''", "good"] * 3
    encoded = encoder.encode(texts)
    assert [encoded.ids[start:end].tolist() for start, end in pairwise(encoded.offsets)] == [
        encoder.encode([text]).ids.tolist() for text in texts
    ]


def test_no_texts(encoder: TextEncoder) -> None:
    encoded = encoder.encode([])
    assert (encoded.ids.tolist(), encoded.offsets.tolist()) == ([], [0])
