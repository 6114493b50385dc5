"""What a range becomes is known by the bytes that it reads; the property is tested over the reader itself."""

import bz2
import random
from pathlib import Path

import pytest

from sentiment_pipeline.inputs import input_file
from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.inputs.input_file import InputFile, inspect_files
from sentiment_pipeline.inputs.ranges import read_ranges

CONFIG = InputConfig("", "", "")
SIZE = 1 << 16


def lines(count: int, seed: int = 0) -> bytes:
    drawn = random.Random(seed)
    return b"".join(
        b"__label__%d %s\n" % (drawn.randint(1, 2), drawn.randbytes(drawn.randrange(1, 900)).hex().encode())
        for _ in range(count)
    )


def inspected(path: Path) -> InputFile:
    (found,) = inspect_files([path], CONFIG, SIZE)
    return found


def texts(file: InputFile, index: int) -> list[bytes]:
    batches = read_ranges(file.source, range(index, index + 1), SIZE)
    return [text for _, batch in batches for text in batch.texts.to_pylist()]


@pytest.mark.parametrize("compress", [bytes, bz2.compress], ids=["plain", "bz2"])
@pytest.mark.parametrize("line_feed", [True, False])
def test_equal_digests_are_equal_reviews(compress: type[bytes], line_feed: bool, tmp_path: Path) -> None:
    """Of a file to which lines are added, even to an unfinished last one."""
    before = lines(6000) if line_feed else lines(6000).removesuffix(b"\n")
    (tmp_path / "old").write_bytes(compress(before))
    (tmp_path / "new").write_bytes(compress(before) + compress(lines(50, seed=1)))
    old, new = inspected(tmp_path / "old"), inspected(tmp_path / "new")
    same = [index for index, digest in enumerate(old.digests) if digest == new.digests[index]]
    assert same == list(range(len(same)))
    assert len(old.digests) - len(same) <= 2 + (input_file.LONGEST_LINE + input_file._BLOCK) // SIZE
    assert len(same) > 5
    for index in same:
        assert texts(old, index) == texts(new, index)
    assert old.key == new.key


def test_files_are_known_by_their_content(tmp_path: Path) -> None:
    for name, content in (("a", lines(10)), ("b", lines(10)), ("c", lines(10, seed=1))):
        (tmp_path / name).write_bytes(content)
    a, b, c = inspect_files([tmp_path], CONFIG, SIZE)
    assert a.digests == b.digests != c.digests
    assert (b.key, len({a.key, b.key, c.key})) == (f"{a.key}-2", 3)
    assert inspected((tmp_path / "c").rename(tmp_path / "d")).key == c.key


def test_a_file_that_cannot_be_split_depends_on_all_of_itself(tmp_path: Path) -> None:
    rows = "".join(f"{number % 2},review {number} {'x' * 900}\n" for number in range(200))
    (tmp_path / "reviews.csv").write_text("label,text\n" + rows)
    file = inspected(tmp_path / "reviews.csv")
    assert set(file.digests) == {file.source.sha256}
    assert len(file.digests) > 1
