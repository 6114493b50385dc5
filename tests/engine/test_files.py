import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_pipeline.engine.files import published, remove_leftovers, sha256, write_text
from sentiment_pipeline.errors import PipelineError


def test_a_file_appears_whole_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    with published(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), published(path) as temporary:
        temporary.write_text("new")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_full_disk_is_named_with_the_space_it_needs(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from sentiment_pipeline.engine.files import write_text\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "write_text(Path(sys.argv[1]), 'x' * 20_000)\n"
    )
    path = tmp_path / "a.txt"
    result = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    last = result.stderr.strip().splitlines()[-1]
    assert f"no space to write {path}: it needs more than 10,000 bytes" in last
    assert os.listdir(tmp_path) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PipelineError, match="file"):
        write_text(tmp_path / "file" / "a.txt", "text")


def test_leftovers_of_killed_writers_are_removed(tmp_path: Path) -> None:
    write_text(tmp_path / "sub" / "a.txt", "kept")
    program = (
        "import os, sys; from pathlib import Path\n"
        "from sentiment_pipeline.engine.files import published\n"
        "with published(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half'); os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "sub" / "b.txt")], check=False)
    assert len(os.listdir(tmp_path / "sub")) == 2
    remove_leftovers(tmp_path)
    assert len(os.listdir(tmp_path / "sub")) == 2  # in no folder that was named
    remove_leftovers(tmp_path, "sub", "absent")
    assert os.listdir(tmp_path / "sub") == ["a.txt"]


@pytest.mark.parametrize("name", [".tmp", ".notes.tmp", "notes.12.tmp", ".notes.12.tmp.txt", ".editor.x1.tmp"])
def test_files_of_others_are_no_leftovers(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == [name]


def test_sha256_is_the_standard_one(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "abc")
    assert sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
