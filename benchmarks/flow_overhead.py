"""The cost of the Prefect flow over calling the library: `python -m benchmarks.flow_overhead [--reviews 4000000]`.

Both prepare the same synthetic reviews into fresh folders with the same number of worker processes, in turns; the
minimum of each is compared. The server is started before, as it is for a deployment, and the flow runs in this process,
as the library does. Processor time is that of this process, the workers and the server together; on a machine that is
not idle it is more reliable than wall-clock time.
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
from sentiment_pipeline import layout
from sentiment_pipeline.engine.manifest import recorded_steps
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.settings import Choices
from sentiment_pipeline.stages.pipeline import PREPARE, run_in_folder


@dataclass(frozen=True)
class Cost:
    """One preparation: wall-clock and processor time in seconds, and the number of its steps."""

    wall: float
    processor: float
    steps: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=400_000, help="synthetic reviews to prepare")
    parser.add_argument("--rounds", type=int, default=2, help="preparations by each of the two")
    parser.add_argument("--folder", type=Path, help="keep the reviews here, and use them if they exist")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flow-overhead-") as scratch:
        files = options.folder or Path(scratch)
        if not (files / layout.input_file("test")).exists():
            write_sample(files, options.reviews, seed=1)
        with (
            temporary_settings({PREFECT_HOME: scratch}),
            prefect_test_harness(server_startup_timeout=120),
            get_client(sync_client=True),
        ):
            compare(files, options.rounds)


def compare(files: Path, rounds: int) -> None:
    """Print the cost of each preparation and the overhead of the flow."""
    library, flow = [], []
    for _ in range(rounds):
        library.append(cost(by_library, files))
        flow.append(cost(by_flow, files))
        print(f"library {library[-1]}, flow {flow[-1]}", flush=True)
    for name in ("wall", "processor"):
        without, with_flow = (min(getattr(each, name) for each in costs) for costs in (library, flow))
        print(f"{name}: library {without:.1f} s, flow {with_flow:.1f} s, {100 * (with_flow / without - 1):+.1f} %")


def cost(prepare_by: Callable[[Choices], None], files: Path) -> Cost:
    """Prepare once, into a fresh folder."""
    inputs = {source: files / layout.input_file(source) for source in layout.SOURCES}
    with tempfile.TemporaryDirectory(dir=files) as folder:
        choices = Choices(**inputs, data_dir=Path(folder), preset="quick")
        wall, processor = time.perf_counter(), processor_time()
        prepare_by(choices)
        wall, processor = time.perf_counter() - wall, processor_time() - processor
        return Cost(wall, processor, steps=len(recorded_steps(Path(folder))))


def by_library(choices: Choices) -> None:
    run_in_folder(PREPARE, choices.resolve(), PlainObserver(lambda line: None))


def by_flow(choices: Choices) -> None:
    state: Any = prepare(choices, return_state=True)
    assert state.is_completed(), state.message


def processor_time() -> float:
    """Processor time of this process, its ended children and its server, in seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    servers = [child.cpu_times() for child in psutil.Process().children() if "uvicorn" in child.cmdline()]
    return sum(each.ru_utime + each.ru_stime for each in used) + sum(each.user + each.system for each in servers)


if __name__ == "__main__":
    main()
