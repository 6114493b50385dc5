import bz2
import contextlib
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs import bz2_blocks
from sentiment_pipeline.inputs.bz2_blocks import _BLOCK_MAGIC, _FOOTER_MAGIC, _Magic, _magic_in, decode_blocks


def incompressible(size: int, seed: int = 0) -> bytes:
    """Bytes that fill a block of level 1 (100 kB) with each 100 kB."""
    return random.Random(seed).randbytes(size)


def blocks_of(path: Path, start: int = 0) -> list[bz2_blocks.Block]:
    file = os.open(path, os.O_RDONLY)
    try:
        return list(decode_blocks(path, file, start))
    finally:
        os.close(file)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "reviews.bz2"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("level", range(1, 10))
def test_blocks_of_every_level_are_the_text(write: Callable[[bytes], Path], level: int) -> None:
    text = incompressible(250_000) + b"a" * 2_000_000
    assert b"".join(block.text for block in blocks_of(write(bz2.compress(text, level)))) == text


@pytest.mark.parametrize(
    "texts",
    [
        [b""],
        [b"", b"", b"a"],
        [b"a", b"", b"b"],
        [bytes([n]) * n for n in range(1, 60)],
        [incompressible(150_000, seed) for seed in range(3)],
    ],
)
def test_files_of_many_streams(write: Callable[[bytes], Path], texts: list[bytes]) -> None:
    path = write(b"".join(bz2.compress(text, 1 + n % 9) for n, text in enumerate(texts)))
    assert b"".join(block.text for block in blocks_of(path)) == b"".join(texts)


def test_blocks_are_decoded_from_any_byte_on(write: Callable[[bytes], Path]) -> None:
    path = write(bz2.compress(incompressible(450_000), 1) + bz2.compress(incompressible(150_000, 1), 1))
    blocks = blocks_of(path)
    assert len(blocks) == 7
    for block in blocks:
        for start in (block.byte - 1, block.byte, block.byte + 1):
            assert blocks_of(path, start) == [each for each in blocks if each.byte >= start]


@pytest.mark.parametrize("shift", range(8))
def test_magic_numbers_at_every_bit(shift: int) -> None:
    for value in (_BLOCK_MAGIC, _FOOTER_MAGIC):
        data = b"abc" + (value << (8 - shift)).to_bytes(7) + b"xyz"
        assert _magic_in(data) == [_Magic(24 + shift, value == _BLOCK_MAGIC)]


def test_a_magic_number_across_two_reads_is_found_once(
    write: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = incompressible(250_000)
    whole = blocks_of(write(bz2.compress(text, 1)))
    for piece in (whole[1].byte + offset for offset in range(-7, 8)):
        monkeypatch.setattr(bz2_blocks, "_READ_BYTES", piece)
        assert blocks_of(write(bz2.compress(text, 1))) == whole


def test_bits_that_match_a_magic_number_by_chance_do_not_cut_a_block(
    write: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(bz2.compress(incompressible(250_000), 1))
    whole, found = blocks_of(path), bz2_blocks._find_magic

    def with_chance_matches(file: int, start: int, size: int) -> Iterator[_Magic]:
        true = list(found(file, start, size))
        chance = [_Magic(each.bit + 4321, bool(each.bit % 2)) for each in true if each.bit + 4321 < 8 * size]
        yield from sorted(true + chance, key=lambda magic: magic.bit)

    monkeypatch.setattr(bz2_blocks, "_find_magic", with_chance_matches)
    assert blocks_of(path) == whole
    assert blocks_of(path, whole[1].byte - 20) == whole[1:]


def test_truncation_at_any_byte_is_an_error(write: Callable[[bytes], Path]) -> None:
    data = bz2.compress(incompressible(220_000), 1) + bz2.compress(b"more")
    first = len(bz2.compress(incompressible(220_000), 1))
    draw = random.Random(0)
    near_ends = {*range(10), *range(first - 12, first), *range(first + 1, len(data))}
    for length in near_ends | set(draw.sample(range(len(data)), 40)):
        path = write(data[:length])
        with pytest.raises(PipelineError, match=r"reviews\.bz2 is (incomplete|damaged)"):
            blocks_of(path)


def test_a_flipped_bit_is_an_error_that_names_the_block(write: Callable[[bytes], Path]) -> None:
    data = bz2.compress(incompressible(350_000), 1)
    blocks = blocks_of(write(data))
    draw = random.Random(1)
    for number in (1, 2, 3):
        for _ in range(8):
            bit = draw.randrange(8 * blocks[number - 1].byte + 64, 8 * blocks[number].byte - 8)
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises(PipelineError) as failure:
                blocks_of(write(bytes(flipped)))
            assert f"block {number}, which begins at byte {blocks[number - 1].byte:,}," in str(failure.value)


def test_no_flipped_bit_changes_the_text_unnoticed(write: Callable[[bytes], Path]) -> None:
    text = incompressible(40)
    data = bz2.compress(text)
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(PipelineError):
            assert b"".join(block.text for block in blocks_of(write(bytes(flipped)))) == text


def test_no_damage_changes_the_text_unnoticed(write: Callable[[bytes], Path]) -> None:
    """Flip bits; replace, insert and delete bytes, anywhere; as often as `FUZZ_EXAMPLES` says."""
    draw = random.Random(int(os.environ.get("FUZZ_SEED", "1")))
    texts = [incompressible(30_000), b"the quick brown fox " * 3_000, b"a" * 300_000]
    for _ in range(int(os.environ.get("FUZZ_EXAMPLES", "200"))):
        text = draw.choice(texts)
        data = bytearray(bz2.compress(text, draw.randrange(1, 10)))
        position = draw.randrange(len(data))
        if draw.random() < 0.6:
            data[position] ^= 1 << draw.randrange(8)
        else:
            data[position : position + draw.randrange(9)] = draw.randbytes(draw.randrange(9))
        with contextlib.suppress(PipelineError):
            assert b"".join(block.text for block in blocks_of(write(bytes(data)))) == text


def test_bytes_after_the_last_stream_are_an_error(write: Callable[[bytes], Path]) -> None:
    with pytest.raises(PipelineError, match="a bzip2 stream ends there and no other begins"):
        blocks_of(write(bz2.compress(b"text") + b"junk"))


def test_a_damaged_first_block_of_a_range_is_left_to_the_range_before(write: Callable[[bytes], Path]) -> None:
    data = bytearray(bz2.compress(incompressible(350_000), 1))
    blocks = blocks_of(write(bytes(data)))
    data[blocks[1].byte + 1000] ^= 1
    path = write(bytes(data))
    assert blocks_of(path, blocks[0].byte + 1) == blocks[2:]
    with pytest.raises(PipelineError, match="block 2,"):
        blocks_of(path)
