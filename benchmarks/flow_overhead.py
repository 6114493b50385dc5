"""What the Prefect flow costs over calling the library: `python -m benchmarks.flow_overhead --reviews 4000000`.

Both prepare the same synthetic reviews into fresh folders with as many worker processes, in turns; the smallest of each
counts. The server runs before the clock starts, as it does for a deployment, and the process of the flow is there, as
it is for the library. Processor time is that of this process, the workers and the server together; on a machine that
does other things too it says more than the time on the wall.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_HOME, temporary_settings
from prefect.testing.utilities import prefect_test_harness

from flows.pipeline import prepare
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.manifest import FOLDER
from sentiment_pipeline.engine.stage import Run, run_stages
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.settings import Choices
from sentiment_pipeline.stages.pipeline import PREPARE


def by_library(choices: Any) -> None:
    settings = choices.resolve()
    with ProcessExecutor(settings.execution.workers) as executor:
        run_stages(Run(settings.data_dir, settings), PREPARE, executor, PlainObserver(lambda line: None))


def by_flow(choices: Any) -> None:
    state = prepare(choices, return_state=True)
    assert state.is_completed(), state.message


@dataclass(frozen=True)
class Cost:
    """What one preparation took, in seconds, and of how many steps it is made."""

    wall: float
    processor: float
    steps: int


def cost(way: Callable[[Any], None], files: Path) -> Cost:
    """Prepare once, into a fresh folder."""
    with tempfile.TemporaryDirectory(dir=files) as folder:
        choices = Choices(
            train=files / "train.ft.txt.bz2", test=files / "test.ft.txt.bz2", data_dir=Path(folder), preset="quick"
        )
        wall, processor = time.perf_counter(), processor_time()
        way(choices)
        wall, processor = time.perf_counter() - wall, processor_time() - processor
        return Cost(wall, processor, steps=len([*Path(folder, FOLDER).rglob("*.json")]))


def processor_time() -> float:
    """Seconds that this process, its ended children and its server have computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    servers = [child.cpu_times() for child in psutil.Process().children() if "uvicorn" in child.cmdline()]
    return sum(each.ru_utime + each.ru_stime for each in used) + sum(each.user + each.system for each in servers)


def compare(files: Path, rounds: int) -> None:
    library, flow = [], []
    for _ in range(rounds):
        library.append(cost(by_library, files))
        flow.append(cost(by_flow, files))
        print(f"library {library[-1]}, flow {flow[-1]}", flush=True)
    for name in ("wall", "processor"):
        plain, more = (min(getattr(each, name) for each in costs) for costs in (library, flow))
        print(f"{name}: library {plain:.1f} s, flow {more:.1f} s, {100 * (more / plain - 1):+.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=400_000, help="synthetic reviews to prepare")
    parser.add_argument("--rounds", type=int, default=2, help="times that each way is measured")
    parser.add_argument("--folder", type=Path, help="where the reviews are, or are to be kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flow-overhead-") as scratch:
        files = options.folder or Path(scratch)
        if not (files / "test.ft.txt.bz2").exists():
            write_sample(files, options.reviews, seed=1)
        with (
            temporary_settings({PREFECT_HOME: scratch}),
            prefect_test_harness(server_startup_timeout=120),
            get_client(sync_client=True),
        ):
            compare(files, options.rounds)


if __name__ == "__main__":
    main()
