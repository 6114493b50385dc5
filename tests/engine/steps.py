"""Steps for tests of what runs steps; a module of its own, because worker processes import it."""

import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.manifest import JSON
from sentiment_pipeline.engine.step import ProgressCallback, Step
from sentiment_pipeline.errors import PipelineError


def _write(data_dir: Path, on_progress: ProgressCallback, name: str, seconds: float) -> Mapping[str, JSON]:
    print(f"{name} speaks", flush=True)
    (data_dir / f"{name}.started").write_text(str(os.getpid()))
    on_progress({"step": 1})
    time.sleep(seconds)
    write_text(data_dir / "out" / name, name)
    return {"process": os.getpid(), "thread": threading.get_ident()}


def _fail(data_dir: Path, on_progress: ProgressCallback, name: str) -> Mapping[str, JSON]:
    raise PipelineError(f"{name} cannot be done")


def _die_once(data_dir: Path, on_progress: ProgressCallback, name: str) -> Mapping[str, JSON]:
    died = data_dir / f"{name}.died"
    if not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return _write(data_dir, on_progress, name, 0)


def writing(name: str, seconds: float = 0, **depends: JSON) -> Step:
    """Writes `out/NAME` after so many seconds."""
    return Step(f"stage/{name}", _write, {"name": name, "seconds": seconds}, depends, (f"out/{name}",))


def failing(name: str) -> Step:
    """Fails in an expected way."""
    return Step(f"stage/{name}", _fail, {"name": name}, {}, (f"out/{name}",))


def dying_once(name: str) -> Step:
    """Kills its process the first time."""
    return Step(f"stage/{name}", _die_once, {"name": name}, {}, (f"out/{name}",))
