"""How the steps of a stage become task runs; with a task runner that performs each at once."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect.states import Completed, Failed, State

from flows.executor import _execute, _perform_here, executor_for
from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.step import Step
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.settings import ExecutionConfig, preset


class FakeFuture:
    """A future of Prefect's, as far as the executor needs one."""

    def __init__(self, state: State) -> None:
        self.state = state

    def add_done_callback(self, call: Callable[["FakeFuture"], None]) -> None:
        call(self)

    def wait(self) -> None:
        pass


class FakeRunner:
    """Ends a step when it is submitted."""

    def __init__(self, failing: str = "") -> None:
        self.failing, self.submitted = failing, list[str]()

    def submit(self, task: Any, parameters: dict[str, Any]) -> FakeFuture:
        name = parameters["step"].name
        self.submitted.append(name)
        if name == self.failing:
            return FakeFuture(Failed(message="no space"))
        return FakeFuture(Completed(data=Manifest(name, {}, {}, {})))


def steps(count: int) -> list[Step]:
    return [Step(f"stage/{number}", dict, {}, {}, ()) for number in range(count)]


def test_every_step_is_submitted_and_its_manifest_yielded(tmp_path: Path) -> None:
    runner: Any = FakeRunner()
    manifests = list(_execute(runner, _perform_here, 2, steps(5), tmp_path, print))
    assert [manifest.step for manifest in manifests] == [step.name for step in steps(5)]
    assert runner.submitted == [step.name for step in steps(5)]


def test_after_a_failure_no_further_step_begins(tmp_path: Path) -> None:
    runner: Any = FakeRunner(failing="stage/1")
    with pytest.raises(PipelineError, match="stage/1: no space"):
        list(_execute(runner, _perform_here, 2, steps(9), tmp_path, print))
    assert len(runner.submitted) <= 4


def test_a_step_alone_reports_from_this_thread(tmp_path: Path) -> None:
    reported: list[Any] = []
    runner: Any = FakeRunner()
    alone = Step("train", lambda data_dir, on_progress: on_progress({"step": 1}) or {}, {}, {}, ())
    (manifest,) = _execute(runner, _perform_here, 2, [alone], tmp_path, reported.append)
    assert (manifest.step, reported, runner.submitted) == ("train", [{"step": 1}], [])


def test_dask_without_its_package_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prefect_dask", None)
    with pytest.raises(PipelineError, match="prefect-dask"), executor_for(on_dask("tcp://nowhere:1")):
        pass


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:9"])
def test_dask_without_a_scheduler_is_one_clear_line(address: str) -> None:
    pytest.importorskip("prefect_dask", reason="the optional extra dask is not installed")
    with (
        pytest.raises(PipelineError, match=r"execution\.dask_address: no scheduler answers at"),
        executor_for(on_dask(address)),
    ):
        pass


def on_dask(address: str) -> ExecutionConfig:
    return ExecutionConfig(**{**preset("quick")["execution"], "runner": "dask", "dask_address": address})
