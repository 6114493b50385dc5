from pathlib import Path

import pytest

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.paths import user_path


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/data/run-10:30", Path("/data/run-10:30")),
        ("/a/../b/./c", Path("/b/c")),
        ("a/b", Path.cwd() / "a" / "b"),
        (Path("a"), Path.cwd() / "a"),
        (".", Path.cwd()),
        ("~/a", Path.home() / "a"),
        ("a~", Path.cwd() / "a~"),
        ("C:/a", Path.cwd() / "C:" / "a"),
    ],
)
def test_a_path_becomes_absolute(given: str | Path, path: Path) -> None:
    assert user_path(given) == path


def test_links_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert user_path(tmp_path / "link") == tmp_path / "link"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "a path is empty"),
        ("  ", "a path is empty"),
        ("a\0b", "NUL character"),
        ("https://example.com/a.bz2", "https://example.com/a.bz2 is a URL"),
        ("s3://bucket/a", "is a URL, and only local files are read"),
        ("file:/a", "is a URL"),
        ("~no-such-user/a", "there is no such home folder"),
    ],
)
def test_what_is_no_local_path_is_refused(given: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        user_path(given)
