"""The files that a user means by files, folders and patterns."""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from sentiment_pipeline.errors import PipelineError

__all__ = ["collect_files", "names_of"]


def collect_files(given: Sequence[Path]) -> list[Path]:
    """The files in the order given, those of a folder or pattern sorted by name; a file that comes twice counts once.

    A folder stands for the files in it, without those in its subfolders and without hidden ones. A pattern holds `*`,
    `?` or `[…]`, and `**` for any subfolders; what exists under the name itself is no pattern.

    Raises:
        PipelineError: a folder or a pattern has no file; names it.
    """
    return list(dict.fromkeys(path for each in given for path in _files_of(each)))


def _files_of(given: Path) -> Iterator[Path]:
    if given.is_dir():
        found = [path for path in given.iterdir() if path.is_file() and not path.name.startswith(".")]
        remedy = "give a folder of files of reviews"
    elif glob.has_magic(str(given)) and not given.exists():
        found = [path for name in glob.glob(str(given), recursive=True) if (path := Path(name)).is_file()]
        remedy = "check the pattern"
    else:
        yield given
        return
    if not found:
        raise PipelineError(f"{given} has no files; {remedy}")
    yield from sorted(found)


def names_of(paths: Sequence[Path]) -> list[str]:
    """What each file is called: its name, or its whole path where another one has the same name.

    >>> names_of([Path("/a/reviews.csv"), Path("/b/reviews.csv"), Path("/b/more.csv")])
    ['/a/reviews.csv', '/b/reviews.csv', 'more.csv']
    """
    names = [path.name for path in paths]
    return [str(path) if names.count(path.name) > 1 else path.name for path in paths]
