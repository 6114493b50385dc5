import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from sentiment_pipeline.engine.executor import ProcessExecutor, ThreadExecutor, executor_for
from sentiment_pipeline.engine.step import no_progress, step_state
from sentiment_pipeline.engine.workers import WorkerLostError
from sentiment_pipeline.errors import PipelineError
from tests.conftest import PATIENCE, ROOT, wait_until
from tests.engine.steps import dying_once, failing, writing


def test_steps_are_performed_in_other_processes_and_one_alone_in_this_one(tmp_path: Path) -> None:
    steps = [writing(str(number)) for number in range(5)]
    with ProcessExecutor(2) as executor:
        manifests = list(executor(steps, tmp_path, no_progress))
        (alone,) = executor([writing("alone")], tmp_path, no_progress)
    assert {manifest.step for manifest in manifests} == {step.name for step in steps}
    assert os.getpid() not in {manifest.facts["process"] for manifest in manifests}
    assert alone.facts["process"] == os.getpid()
    assert all(step_state(tmp_path, step).finished for step in steps)


def test_one_worker_is_this_process(tmp_path: Path) -> None:
    with ProcessExecutor(1) as executor:
        manifests = list(executor([writing("a"), writing("b")], tmp_path, no_progress))
    assert [manifest.step for manifest in manifests] == ["stage/a", "stage/b"]
    assert {manifest.facts["process"] for manifest in manifests} == {os.getpid()}


def test_threads_perform_steps_side_by_side_in_this_process(tmp_path: Path) -> None:
    with ThreadExecutor(2) as executor:
        manifests = list(executor([writing("a", 0.2), writing("b", 0.2)], tmp_path, no_progress))
        (alone,) = executor([writing("alone")], tmp_path, no_progress)
    assert {manifest.facts["process"] for manifest in manifests} == {os.getpid()}
    assert len({manifest.facts["thread"] for manifest in manifests} | {threading.get_ident()}) == 3
    assert alone.facts["thread"] == threading.get_ident()


@pytest.mark.parametrize("runner", ["processes", "threads"])
def test_a_step_that_is_alone_reports_progress(tmp_path: Path, runner: str) -> None:
    figures: list[object] = []
    with executor_for(runner, 2) as executor:  # type: ignore[arg-type]
        list(executor([writing("a")], tmp_path, figures.append))
        list(executor([writing("b"), writing("c")], tmp_path, figures.append))
    assert figures == [{"step": 1}]


def test_the_runner_of_the_settings_is_used() -> None:
    with executor_for("threads", 1) as threads, executor_for("processes", 1) as processes:
        assert isinstance(threads, ThreadExecutor)
        assert isinstance(processes, ProcessExecutor)


@pytest.mark.parametrize("runner", ["processes", "threads"])
def test_a_failure_is_raised_and_what_was_done_stays_done(tmp_path: Path, runner: str) -> None:
    steps = [writing("a"), failing("b"), *(writing(str(number), 0.1) for number in range(20))]
    with executor_for(runner, 1 if runner == "threads" else 2) as executor:  # type: ignore[arg-type]
        list(executor(steps[:1], tmp_path, no_progress))
        with pytest.raises(PipelineError, match="b cannot be done"):
            list(executor(steps[1:], tmp_path, no_progress))
    states = [step_state(tmp_path, step).finished for step in steps]
    assert states[:2] == [True, False]
    assert not all(states[2:]), "steps that had not begun were cancelled"


def test_after_a_killed_worker_the_next_steps_get_new_ones(tmp_path: Path) -> None:
    steps = [dying_once("a"), dying_once("b")]
    with ProcessExecutor(2) as executor:
        with pytest.raises(WorkerLostError, match="a worker process was killed"):
            list(executor(steps, tmp_path, no_progress))
        for step in steps:
            (tmp_path / f"{step.name.removeprefix('stage/')}.died").touch()
        assert len(list(executor(steps, tmp_path, no_progress))) == 2


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_the_run(tmp_path: Path, end: signal.Signals) -> None:
    program = (
        "import signal, sys; from pathlib import Path\n"
        "from sentiment_pipeline.engine.executor import ProcessExecutor\n"
        "from sentiment_pipeline.engine.step import no_progress\n"
        "from tests.engine.steps import writing\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background process may ignore it
        "with ProcessExecutor(2) as executor:\n"
        "    list(executor([writing('a', 60), writing('b', 60)], Path(sys.argv[1]), no_progress))\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program)
    run = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    started = [tmp_path / "a.started", tmp_path / "b.started"]
    wait_until(lambda: all(path.exists() and path.read_text() for path in started))
    workers = [int(path.read_text()) for path in started]
    run.send_signal(end)
    assert run.wait(timeout=PATIENCE) != 0
    wait_until(lambda: not any(psutil.pid_exists(worker) for worker in workers))
