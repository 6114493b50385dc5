import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from sentiment_pipeline.engine.workers import WorkerLostError, WorkerPool, available_cores, hidden_main
from sentiment_pipeline.errors import PipelineError
from tests.conftest import PATIENCE, ROOT, wait_until
from tests.engine.steps import dying_once, failing, writing


def test_steps_are_done_elsewhere_and_what_they_print_is_logged(tmp_path: Path) -> None:
    lines: list[str] = []
    with WorkerPool(1, lines.append) as pool:
        manifest = pool.perform(writing("one"), tmp_path)
        wait_until(lambda: "one speaks" in lines)
    assert manifest.facts["process"] != os.getpid()
    assert (tmp_path / "out" / "one").read_text() == "one"


def test_without_a_log_workers_print_to_this_processs_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with WorkerPool(1) as pool:
        pool.perform(writing("one"), tmp_path)
    assert capfd.readouterr().out == "one speaks\n"


def test_a_killed_worker_can_be_retried(tmp_path: Path) -> None:
    with WorkerPool(1) as pool:
        with pytest.raises(WorkerLostError, match=r"execution\.workers"):
            pool.perform(dying_once("one"), tmp_path)
        assert not (tmp_path / "out" / "one").exists()
        assert pool.perform(dying_once("one"), tmp_path).step == "stage/one"


def test_a_failure_of_the_work_is_raised_as_it_is(tmp_path: Path) -> None:
    with WorkerPool(1) as pool, pytest.raises(PipelineError, match="one cannot be done") as failure:
        pool.perform(failing("one"), tmp_path)
    assert not isinstance(failure.value, WorkerLostError)


def test_results_come_from_as_many_processes_as_there_are_workers() -> None:
    with WorkerPool(2) as pool:
        found = {pool.result(future) for future in [pool.submit(os.getpid) for _ in range(50)]}
    assert os.getpid() not in found
    assert 1 <= len(found) <= 2


def test_by_default_there_is_a_worker_for_each_core() -> None:
    assert WorkerPool().workers == available_cores() == len(os.sched_getaffinity(0))


def test_closing_ends_the_processes_and_what_waits_for_them(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    with ThreadPoolExecutor() as threads:
        with WorkerPool(1) as pool:
            waiting = threads.submit(pool.perform, writing("one", 600), tmp_path)
            wait_until((tmp_path / "one.started").exists)
        with pytest.raises(PipelineError, match="the run has ended") as ended:
            waiting.result(10)
    assert not isinstance(ended.value, WorkerLostError)
    children = [
        child
        for child in set(psutil.Process().children(recursive=True)) - before
        if "resource_tracker" not in " ".join(child.cmdline())
    ]
    assert not children
    with pytest.raises(PipelineError, match="not started"):
        pool.perform(writing("two"), tmp_path)


SCRIPT = """
import os, pathlib, sys
with open("imported", "a") as file:
    print(__name__, file=file)
from sentiment_pipeline.engine.workers import WorkerPool
with WorkerPool(2) as pool:
    workers = {pool.result(pool.submit(os.getpid)) for _ in range(20)}
assert os.getpid() not in workers, workers
assert sys.modules["__main__"].workers is workers, "the main module is itself again"
"""


@pytest.mark.parametrize("how", ["script", "module", "-c", "stdin"])
def test_a_script_needs_no_main_guard(tmp_path: Path, how: str) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    arguments = {"script": ["script.py"], "module": ["-m", "script"], "-c": ["-c", SCRIPT], "stdin": ["-"]}[how]
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        input=SCRIPT if how == "stdin" else None,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "imported").read_text() == "__main__\n", "no worker has run the script"


def test_main_is_hidden_by_one_thread_at_a_time() -> None:
    main, barrier = sys.modules["__main__"], threading.Barrier(4)

    def hide() -> list[bool]:
        barrier.wait()
        found = []
        for _ in range(200):
            with hidden_main():
                found.append(sys.modules["__main__"] is main)
                time.sleep(0)
        return found

    with ThreadPoolExecutor(4) as threads:
        hidden = [thread.result() for thread in [threads.submit(hide) for _ in range(4)]]
    assert not any(map(any, hidden))
    assert sys.modules["__main__"] is main


def test_ctrl_c_while_workers_start_prints_no_traceback(tmp_path: Path) -> None:
    """SIGINT reaches the whole process group at moments from the first spawn on, as Ctrl-C in a terminal does."""
    program = (
        "import signal, sys; from pathlib import Path\n"
        "from sentiment_pipeline.engine.executor import ProcessExecutor\n"
        "from sentiment_pipeline.engine.step import no_progress\n"
        "from tests.engine.steps import writing\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(130))\n"
        "print('ready', flush=True)\n"
        "with ProcessExecutor(2) as executor:\n"
        "    list(executor([writing('a', 60), writing('b', 60)], Path(sys.argv[1]), no_progress))\n"
    )
    for moment in (0.02, 0.1, 0.3, 0.6, 1.0):
        run = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            cwd=Path(__file__).parents[2],
        )
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        time.sleep(moment)
        os.killpg(run.pid, signal.SIGINT)
        _, errors = run.communicate(timeout=PATIENCE)
        assert (run.returncode, errors) == (130, "")
