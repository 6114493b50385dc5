"""Steps on a Dask cluster: a scheduler and two workers, in processes of their own as on other machines."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PATIENCE, ROOT, wait_until
from tests.flows.user import Prefect
from tests.folders import of_file

distributed = pytest.importorskip("distributed", reason="the optional extra dask is not installed")
pytest.importorskip("prefect_dask", reason="the optional extra dask is not installed")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The address of a scheduler with two workers."""
    contact = tmp_path / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, "--scheduler-file", str(contact), "--no-dashboard"],
            env=environment,
            cwd=tmp_path,
            stderr=subprocess.DEVNULL,
        )

    processes = [start("scheduler", "--host", "127.0.0.1", "--port", "0")]
    try:
        wait_until(contact.exists)
        processes += [start("worker", "--no-nanny", "--nthreads", "1", "--name", str(number)) for number in range(2)]
        with distributed.Client(scheduler_file=str(contact)) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
            yield client.scheduler.address
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(PATIENCE)


def test_the_cluster_performs_the_steps_and_makes_the_same_bytes(
    cluster: str, prefect: Prefect, settings: dict[str, Any], trained: Path
) -> None:
    settings["execution"] = {"runner": "dask", "dask_address": cluster}
    run = prefect.start("prepare", settings=settings)
    assert prefect.wait(run).name == "Completed", prefect.logs(run)
    names = {task.name for task in prefect.tasks(run, last="encode/packed/train")}
    assert {"encode", of_file(Path(settings["data_dir"]), "encode/train/part-00000"), "encode/packed/train"} <= names

    with distributed.Client(cluster) as dask:
        done = dask.run(lambda dask_worker: dask_worker.state.task_counter.new_task and len(dask_worker.state.log))
        assert len(done) == 2
        assert all(done.values()), "a worker did nothing"
    folder = Path(settings["data_dir"])
    for path in [*folder.glob("shards/*/*"), *folder.glob("packed/*/*"), folder / "vocabulary.parquet"]:
        assert path.read_bytes() == (trained / path.relative_to(folder)).read_bytes(), path
