"""What becomes of steps and stages as task runs; called without Prefect where that is enough."""

import errno
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect.states import Completed, Failed, State

from flows import states, task_runs
from flows.states import can_pass
from flows.task_runs import _execute, _outcome_state, perform_step
from sentiment_pipeline.engine.manifest import Manifest
from sentiment_pipeline.engine.stage import Outcome
from sentiment_pipeline.engine.step import Step
from sentiment_pipeline.engine.workers import WorkerLostError
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.formatting import counted
from sentiment_pipeline.settings import ExecutionConfig, preset


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (OSError(errno.EIO, "input/output error"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (WorkerLostError(), True),
        (FileNotFoundError(), False),
        (PermissionError(), False),
        (PipelineError("bad input"), False),
        (SettingsError("bad setting"), False),
        (ValueError("a defect"), False),
    ],
)
def test_only_what_can_pass_by_itself_is_tried_again(error: Exception, passes: bool) -> None:
    assert can_pass(error) is passes


def test_a_skipped_stage_says_so() -> None:
    state = _outcome_state(Outcome(done=0, skipped=12, seconds=0.1))
    assert (state.name, state.is_completed()) == ("Skipped", True)
    assert state.message == "nothing to do: 12 steps finished before, with these inputs and settings"
    assert _outcome_state(Outcome(3, 1, 9.0)).message == "3 steps done, 1 step finished before"
    assert _outcome_state(Outcome(1, 0, 9.0)).message == "1 step done"
    assert counted(1) == "1 step"


class FakeFuture:
    """A future of Prefect's, as far as `execute` needs one."""

    def __init__(self, state: State) -> None:
        self.state = state

    def add_done_callback(self, call: Callable[["FakeFuture"], None]) -> None:
        call(self)

    def wait(self) -> None:
        pass


class FakeRunner:
    """Performs a step at once when it is submitted."""

    def __init__(self, failing: str = "") -> None:
        self.failing, self.submitted = failing, list[str]()

    def submit(self, task: Any, parameters: dict[str, Any]) -> FakeFuture:
        name = parameters["step"].name
        self.submitted.append(name)
        if name == self.failing:
            return FakeFuture(Failed(message="no space"))
        return FakeFuture(Completed(data=Manifest(name, {}, {}, {})))


def steps(count: int) -> list[Step]:
    return [Step(f"stage/{number}", print, {}, {}, ()) for number in range(count)]


def test_every_step_is_submitted_and_its_manifest_handed_on(tmp_path: Path) -> None:
    runner: Any = FakeRunner()
    manifests = list(_execute(runner, task_runs._perform_here, 2, steps(5), tmp_path, print))
    assert sorted(manifest.step for manifest in manifests) == sorted(runner.submitted)
    assert len(manifests) == 5


def test_after_a_failure_no_further_step_begins(tmp_path: Path) -> None:
    runner: Any = FakeRunner(failing="stage/1")
    with pytest.raises(PipelineError, match="stage/1: no space"):
        list(_execute(runner, task_runs._perform_here, 2, steps(9), tmp_path, print))
    assert len(runner.submitted) <= 4


def test_a_step_alone_reports_from_this_thread(tmp_path: Path) -> None:
    heard: list[Any] = []
    runner: Any = FakeRunner()
    alone = Step("train", lambda data_dir, on_progress: on_progress({"step": 1}) or {}, {}, {}, ())
    (manifest,) = _execute(runner, task_runs._perform_here, 2, [alone], tmp_path, heard.append)
    assert (manifest.step, heard, runner.submitted) == ("train", [{"step": 1}], [])


def test_an_expected_failure_is_a_state_and_a_defect_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def expected(step: Step, data_dir: Path) -> Manifest:
        raise PipelineError("disk full")

    def defect(step: Step, data_dir: Path) -> Manifest:
        raise KeyError("oops")

    monkeypatch.setattr(states, "get_run_logger", lambda: logging.getLogger("test"))
    state = perform_step.fn(steps(1)[0], tmp_path, expected)
    assert (state.is_failed(), state.message) == (True, "disk full")
    with pytest.raises(KeyError):
        perform_step.fn(steps(1)[0], tmp_path, defect)
    assert "not foreseen" in caplog.text


def test_dask_without_its_package_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "prefect_dask", None)
    with pytest.raises(PipelineError, match="prefect-dask"), task_runs.execute_on(on_dask("tcp://nowhere:1")):
        pass


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:9"])
def test_dask_without_a_scheduler_is_one_clear_line(address: str) -> None:
    pytest.importorskip("prefect_dask", reason="the optional extra dask is not installed")
    with (
        pytest.raises(PipelineError, match=r"execution\.dask_address: no scheduler answers at"),
        task_runs.execute_on(on_dask(address)),
    ):
        pass


def on_dask(address: str) -> ExecutionConfig:
    return ExecutionConfig(**{**preset("quick")["execution"], "runner": "dask", "dask_address": address})
