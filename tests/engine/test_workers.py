"""The worker processes behind shard tasks: killed, ended, heard."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from flows.states import can_pass
from sentiment_pipeline.engine.workers import WorkerLostError, WorkerPool
from sentiment_pipeline.errors import PipelineError
from tests.flows.conftest import wait_until
from tests.flows.steps import step


def test_steps_are_done_elsewhere_and_what_they_print_is_logged(tmp_path: Path) -> None:
    said: list[str] = []
    with WorkerPool(1, said.append) as pool:
        manifest = pool.perform(step("one"), tmp_path)
        wait_until(lambda: "one speaks" in said, 10)
    assert manifest.facts["process"] != os.getpid()
    assert (tmp_path / "one").read_text() == "one"


def test_a_killed_worker_may_be_tried_again(tmp_path: Path) -> None:
    with WorkerPool(1, print) as pool:
        with pytest.raises(WorkerLostError, match=r"execution\.workers") as lost:
            pool.perform(step("one", "dies once"), tmp_path)
        assert can_pass(lost.value)
        assert not (tmp_path / "one").exists()
        assert pool.perform(step("one", "dies once"), tmp_path).step == "one"


def test_the_end_ends_the_processes_and_what_waits_for_them(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    with ThreadPoolExecutor() as threads:
        with WorkerPool(1, print) as pool:
            waiting = threads.submit(pool.perform, step("one", "sleeps"), tmp_path)
            wait_until((tmp_path / "asleep").exists, 60)
        with pytest.raises(PipelineError, match="the run has ended") as ended:
            waiting.result(10)
    assert not can_pass(ended.value)
    children = [
        child
        for child in set(psutil.Process().children(recursive=True)) - before
        if "resource_tracker" not in " ".join(child.cmdline())
    ]
    assert not children
    with pytest.raises(PipelineError, match="not begun"):
        pool.perform(step("two"), tmp_path)
