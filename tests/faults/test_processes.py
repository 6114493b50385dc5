"""A process that crashes shows where, and takes no test process with it."""

import os
import signal

from tests.processes import run


def test_a_crash_is_a_traceback_and_not_the_end_of_the_suite() -> None:
    ended = run("--help", fault=os.abort)
    assert ended.code == -signal.SIGABRT
    assert ended.stderr.startswith("Fatal Python error: Aborted")
    assert "in _command" in ended.stderr
