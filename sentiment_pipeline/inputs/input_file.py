"""A file of reviews as one of the files of an input: known by its content, whatever it is called and wherever it lies.

What a range of lines becomes depends on the bytes that are read for it and on nothing else of the file. So lines that
are added at the end of a file change its last ranges alone. A file that is read as a whole changes as a whole.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sentiment_pipeline.inputs.collection import collect_files, names_of
from sentiment_pipeline.inputs.config import InputConfig
from sentiment_pipeline.inputs.parsed import LONGEST_LINE
from sentiment_pipeline.inputs.source import Source, inspect, open_for_reading

__all__ = ["InputFile", "inspect_files"]

_BLOCK = 1 << 20  # more than the largest block of a .bz2
_KEY = 12  # digits


@dataclass(frozen=True)
class InputFile:
    """One of the files of an input.

    Attributes:
        source: the file.
        name: what it is called in messages and tables.
        key: names its folder below the data folder; it follows from the file's first range.
        digests: for each range the SHA-256 of all bytes on which its reviews depend, in hexadecimal.
    """

    source: Source
    name: str
    key: str
    digests: tuple[str, ...]


def inspect_files(given: Sequence[Path], config: InputConfig, size: int) -> list[InputFile]:
    """Inspect the files of an input; reads each of them for its hashes.

    Args:
        given: files, folders and patterns.
        config: how they are to be understood.
        size: bytes of a range.

    Raises:
        SettingsError: the setting `input.labels` is not of its form.
        PipelineError: a folder or pattern has no file, or one is not readable as reviews; names it.
    """
    paths = collect_files(given)
    with ThreadPoolExecutor() as threads:  # hashing releases the GIL
        sources = list(threads.map(lambda path: inspect(path, config), paths))
        digests = list(threads.map(lambda source: tuple(_digests(source, size)), sources))
    keys = list(_unique(each[0][:_KEY] for each in digests))
    return [InputFile(*each) for each in zip(sources, names_of(paths), keys, digests, strict=True)]


def _digests(source: Source, size: int) -> Iterator[str]:
    """The digest of each range of a file.

    The last line of a range continues into the next ones. No more of it is kept than `LONGEST_LINE`, in the blocks of a
    .bz2 that hold that much.
    """
    if not source.splits:
        yield from [source.sha256] * source.range_count(size)
        return
    with open_for_reading(source.path) as file:
        for index in range(source.range_count(size)):
            yield hashlib.sha256(os.pread(file, size + LONGEST_LINE + _BLOCK, index * size)).hexdigest()


def _unique(keys: Iterator[str]) -> Iterator[str]:
    """The keys, with a number after those that have come before."""
    seen = dict[str, int]()
    for key in keys:
        seen[key] = seen.get(key, 0) + 1
        yield key if seen[key] == 1 else f"{key}-{seen[key]}"
