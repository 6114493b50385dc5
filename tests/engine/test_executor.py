import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.step import no_progress, step_state
from sentiment_pipeline.errors import PipelineError
from tests.engine.steps import dying, failing, writing


def test_steps_are_performed_in_other_processes_and_one_alone_in_this_one(tmp_path: Path) -> None:
    steps = [writing(str(number)) for number in range(5)]
    with ProcessExecutor(2) as executor:
        manifests = list(executor(steps, tmp_path, no_progress))
        (alone,) = executor([writing("alone")], tmp_path, no_progress)
    assert {manifest.step for manifest in manifests} == {step.name for step in steps}
    assert os.getpid() not in {manifest.facts["process"] for manifest in manifests}
    assert alone.facts["process"] == os.getpid()
    assert all(step_state(tmp_path, step).finished for step in steps)


def test_a_failure_is_raised_and_what_was_done_stays_done(tmp_path: Path) -> None:
    steps = [writing("a"), failing("b")]
    with ProcessExecutor(2) as executor, pytest.raises(PipelineError, match="b cannot be done"):
        list(executor(steps, tmp_path, no_progress))
    assert not step_state(tmp_path, steps[1]).finished


def test_a_killed_worker_is_explained(tmp_path: Path) -> None:
    with ProcessExecutor(2) as executor:
        with pytest.raises(PipelineError, match="a worker process was killed"):
            list(executor([dying("a"), dying("b")], tmp_path, no_progress))
        assert len(list(executor([writing("c"), writing("d")], tmp_path, no_progress))) == 2


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_the_run(tmp_path: Path, end: signal.Signals) -> None:
    program = (
        "import signal, sys; from pathlib import Path\n"
        "from sentiment_pipeline.engine.executor import ProcessExecutor, silent\n"
        "from tests.engine.steps import writing\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # deaf to it where the tests run in background
        "    with ProcessExecutor(2) as executor:\n"
        "        list(executor([writing('a', 60), writing('b', 60)], Path(sys.argv[1]), no_progress))\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program)
    run = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    started = [tmp_path / "a.started", tmp_path / "b.started"]
    wait_for(lambda: all(path.exists() and path.read_text() for path in started))
    workers = [int(path.read_text()) for path in started]
    run.send_signal(end)
    assert run.wait(timeout=20) != 0
    wait_for(lambda: not any(psutil.pid_exists(worker) for worker in workers))


def wait_for(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
