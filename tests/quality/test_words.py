from zlib import crc32

import numpy as np
import pyarrow as pa
import pytest

from sentiment_pipeline.quality.words import SCRIPTS, words_of_chunks


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ("good ", ["good"]),
        ("good!?  \n", ["good"]),
        ("dr. lee's ", ["dr", "lee", "s"]),
        ("$00.00 ", ["0", "0"]),
        ("0000 ", ["0"]),
        ("  ", []),
        ("", []),
        ("...", []),
        ("café ", ["café"]),
        ("привет, мир", ["привет", "мир"]),
    ],
)
def test_words_are_runs_of_letters_and_digits(chunk: str, words: list[str]) -> None:
    found = words_of_chunks(pa.array([chunk]))
    assert found.hashes.tolist() == [crc32(word.encode()) for word in words]
    assert found.lengths.tolist() == [len(words)]


def test_the_words_of_chunks_are_found_by_their_codes() -> None:
    words = words_of_chunks(pa.array(["a b ", "", "c "]))
    positions, lengths = words.of_codes(np.array([2, 1, 0, 2]))
    assert words.hashes[positions].tolist() == [crc32(each) for each in (b"c", b"a", b"b", b"c")]
    assert lengths.tolist() == [1, 0, 2, 1]


def test_no_chunks_have_no_words() -> None:
    words = words_of_chunks(pa.array([], pa.string()))
    assert len(words.hashes) == len(words.lengths) == len(words.starts) == 0


def test_scripts_are_told_by_letters() -> None:
    found = words_of_chunks(pa.array(["good ", "мир ", "漢字", "00 ", "ไทย"]))
    assert found.scripts.tolist() == [*map(SCRIPTS.index, ("Latin", "Cyrillic", "Han", "Latin")), len(SCRIPTS)]
