"""A full disk, a limit on file size, folders that are not writable: one line, and the next run continues."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.training.checkpoint import Checkpoints
from tests.folders import contents
from tests.processes import REPETITIONS, draw, obey_permissions, run, stamps


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Gives a folder on a file system of its own of some KiB, or changes its size."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def size(kibibytes: int, access: str = "rw") -> Path:
        remount = "remount," if os.path.ismount(folder) else ""
        command = ["mount", "-t", "tmpfs", "-o", f"{remount}{access},size={kibibytes}k", "tmpfs", str(folder)]
        if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode:
            pytest.skip("may not mount a file system here")
        return folder / "data"

    yield size
    subprocess.run(["umount", str(folder)], stderr=subprocess.DEVNULL, check=False)


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_a_full_disk(repetition: int, options: list[object], finished: Path, small_disk: Callable[..., Path]) -> None:
    """It grows from run to run, so that it is full in one stage after the other."""
    needed, random = sum(path.stat().st_size for path in finished.rglob("*")) // 1024, draw(repetition)
    for fraction in sorted(random.uniform(0.02, 0.95) for _ in range(4)):
        data_dir = small_disk(int(needed * fraction))
        assert_refused(options, data_dir, finished, "free some space")
    data_dir = small_disk(4 * needed)
    assert_continues(options, data_dir, finished)


@pytest.mark.parametrize("numbers", [100, 5_000, 100_000, 1_000_000])
def test_a_checkpoint_that_does_not_fit(numbers: int, small_disk: Callable[..., Path]) -> None:
    folder = small_disk(4)
    with pytest.raises(PipelineError, match=f"no space to write {folder}/step-00000001"):
        Checkpoints(folder, {}).save(1, {"model": [torch.zeros(numbers) for _ in range(20)]})
    assert not list(folder.glob("*"))


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_a_limit_on_the_size_of_files(repetition: int, options: list[object], finished: Path, tmp_path: Path) -> None:
    largest, random = max(path.stat().st_size for path in finished.rglob("*")), draw(repetition)
    for size in sorted(int(2 ** random.uniform(9, largest.bit_length() - 1)) for _ in range(4)):
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        assert_refused(options, tmp_path, finished, "free some space", limit)
    assert_continues(options, tmp_path, finished)


@pytest.mark.parametrize("closed", [".", "shards", "manifests/encode", "training"])
def test_a_folder_that_may_not_be_written_to(
    closed: str, options: list[object], finished: Path, tmp_path: Path
) -> None:
    folder = tmp_path / closed
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o555)
    assert_refused(options, tmp_path, finished, "make the folder writable", obey_permissions)
    folder.chmod(0o755)
    assert_continues(options, tmp_path, finished, obey_permissions)


def test_a_read_only_file_system(options: list[object], finished: Path, small_disk: Callable[..., Path]) -> None:
    data_dir = small_disk(1 << 10, "ro")
    assert_refused(options, data_dir, finished, "read-only file system; make the folder writable")


def assert_refused(
    options: list[object], data_dir: Path, finished: Path, words: str, fault: Callable[[], object] | None = None
) -> None:
    """The run fails with one line that names a path in the folder, and leaves no partial file under a final name."""
    ended = run("run", *options, "--data-dir", data_dir, fault=fault)
    assert ended.code == 1, ended.stderr
    errors = [line for line in ended.stderr.splitlines() if line.startswith("sentiment-pipeline: ")]
    assert len(errors) == 1, ended.stderr
    assert errors == ended.stderr.splitlines()[-1:], ended.stderr
    assert words in errors[0]
    assert str(data_dir) in errors[0]
    left, expected = untimed(data_dir), untimed(finished)
    assert left.items() <= expected.items()
    assert not list(data_dir.rglob("*.tmp"))


def assert_continues(
    options: list[object], data_dir: Path, finished: Path, fault: Callable[[], object] | None = None
) -> None:
    """The next run ends with the same bytes and does nothing again that was finished."""
    before = stamps(data_dir)
    ended = run("run", *options, "--data-dir", data_dir, fault=fault)
    assert ended.code == 0, ended.stderr
    assert untimed(data_dir) == untimed(finished)
    kept = {name for name in before if name.startswith("manifests/") and before[name] == stamps(data_dir).get(name)}
    assert kept == {name for name in before if name.startswith("manifests/")}


def untimed(data_dir: Path) -> dict[str, str]:
    """The contents that do not depend on how long something took."""
    return {
        name: digest
        for name, digest in contents(data_dir).items()
        if name.startswith(("ingest", "rejected", "tokens", "vocabulary", "shards", "packed", "training/model"))
    }
