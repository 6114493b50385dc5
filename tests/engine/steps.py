"""Steps for the tests of those who run steps; a module of its own, because worker processes import it."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.manifest import JSON
from sentiment_pipeline.engine.step import Step
from sentiment_pipeline.errors import PipelineError


def write(data_dir: Path, report: object, name: str, seconds: float = 0) -> Mapping[str, JSON]:
    (data_dir / f"{name}.started").write_text(str(os.getpid()))
    time.sleep(seconds)
    write_text(data_dir / "out" / name, name)
    return {"process": os.getpid()}


def fail(data_dir: Path, report: object, name: str) -> Mapping[str, JSON]:
    raise PipelineError(f"{name} cannot be done")


def die(data_dir: Path, report: object, name: str) -> Mapping[str, JSON]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def writing(name: str, seconds: float = 0, **depends: JSON) -> Step:
    return Step(f"stage/{name}", write, {"name": name, "seconds": seconds}, depends, (f"out/{name}",))


def failing(name: str) -> Step:
    return Step(f"stage/{name}", fail, {"name": name}, {}, (f"out/{name}",))


def dying(name: str) -> Step:
    return Step(f"stage/{name}", die, {"name": name}, {}, (f"out/{name}",))
