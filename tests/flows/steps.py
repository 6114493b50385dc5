"""Steps for the tests of the pool; a module of its own, because worker processes import it."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.manifest import JSON
from sentiment_pipeline.engine.step import Step


def work(data_dir: Path, report: object, *, name: str, how: str) -> Mapping[str, JSON]:
    print(f"{name} speaks", flush=True)
    if how == "dies once" and not (data_dir / "died").exists():
        (data_dir / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "sleeps":
        (data_dir / "asleep").touch()
        time.sleep(600)
    write_text(data_dir / name, name)
    return {"process": os.getpid()}


def step(name: str, how: str = "works") -> Step:
    return Step(name, work, {"name": name, "how": how}, {}, (name,))
