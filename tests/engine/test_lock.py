import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_pipeline.engine.lock import locked
from sentiment_pipeline.errors import PipelineError

HOLD = (
    "import sys, time; from pathlib import Path\n"
    "from sentiment_pipeline.engine.lock import locked\n"
    "with locked(Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(60)\n"
)


def test_a_second_run_is_refused_with_the_first_ones_name_until_it_dies(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(PipelineError, match=f'"process": {holder.pid}'), locked(tmp_path):
            pass
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with locked(tmp_path):
        pass


def test_the_lock_is_free_after_the_block(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass
