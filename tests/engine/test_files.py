import errno
import os
import resource
import socket
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sentiment_pipeline.engine import files
from sentiment_pipeline.engine.files import (
    as_pipeline_error,
    cached_sha256,
    published,
    read_bytes,
    remove_leftovers,
    sha256,
    write_text,
)
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


@pytest.mark.parametrize("far", [False, True])
def test_links_are_followed(tmp_path: Path, far: bool) -> None:
    target = tmp_path / "elsewhere" / "a.txt"
    target.parent.mkdir()
    if far:
        target.write_text("old")
    link = tmp_path / "link.txt"
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert os.listdir(target.parent) == ["a.txt"]


def test_a_pipe_a_device_and_a_socket_are_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    paths = [tmp_path / "pipe", tmp_path / "socket"]
    if os.geteuid() == 0:
        os.mknod(tmp_path / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        paths.append(tmp_path / "null")
    (tmp_path / "link").symlink_to(paths[-1])
    kinds = [stat.S_IFMT(path.stat().st_mode) for path in paths]
    for path in (*paths, tmp_path / "link"):
        with pytest.raises(PipelineError, match=f"cannot write {path}: it is a device or pipe"):
            write_text(path, "text")
    assert [stat.S_IFMT(path.lstat().st_mode) for path in paths] == kinds
    assert (tmp_path / "link").is_symlink()


def test_a_loop_of_links_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(PipelineError, match="cannot write"):
        write_text(tmp_path / "a", "text")


def test_no_inodes_left_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, "statvfs", lambda folder: SimpleNamespace(f_files=30, f_favail=0))
    assert "no inodes left" in str(as_pipeline_error(error, tmp_path / "new" / "a.txt", tmp_path / "new" / "b"))
    no_inodes_counted = SimpleNamespace(f_files=0, f_favail=0, f_bavail=1, f_frsize=1, f_blocks=1, f_bfree=1)  # btrfs
    monkeypatch.setattr(os, "statvfs", lambda folder: no_inodes_counted)
    assert "bytes and" in str(as_pipeline_error(error, tmp_path / "new" / "a.txt", tmp_path / "new" / "b"))


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_bytes(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"\0\xff")
    assert read_bytes(tmp_path / "file") == b"\0\xff"


def test_a_hash_is_cached_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Path] = []

    def counting(path: Path) -> str:
        hashed.append(path)
        return sha256(path)

    monkeypatch.setattr(files, "sha256", counting)
    write_text(tmp_path / "a", "abc")  # hashes it, under its temporary name
    assert cached_sha256(tmp_path / "a") == cached_sha256(tmp_path / "a") == sha256(tmp_path / "a")
    assert len(hashed) == 1
    (tmp_path / "a").write_text("abd!")
    assert cached_sha256(tmp_path / "a") == sha256(tmp_path / "a")
    assert len(hashed) == 2
