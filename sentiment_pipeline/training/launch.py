"""Training in several processes of this machine, one for each GPU, from one call.

torchrun starts them, restarts none, and ends all when one fails. The job, its result and the failure of a process are
passed as files; the figures are passed as lines of JSON on the first process's standard output.

On several machines that share the data folder, call `train_in_processes` on one of them. On each of the others run the
command that `Processes.command` returns, before or after that call:
`torchrun --nnodes=N --rdzv-backend=c10d --rdzv-endpoint=HOST:PORT --rdzv-id=sentiment-pipeline --nproc-per-node=G
-m sentiment_pipeline.training.launch DATA_DIR/checkpoints/launch`.
"""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.openmp import OPENMP_WAIT
from sentiment_pipeline.training.history import FiguresCallback
from sentiment_pipeline.training.job import Job, TrainResult
from sentiment_pipeline.training.signals import SIGNALS, StopSignals
from sentiment_pipeline.training.train import train

__all__ = ["Processes", "train_in_processes"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Processes:
    """The number of processes that train together.

    Attributes:
        per_node: number of processes on each machine.
        nodes: number of machines.
        rendezvous: HOST:PORT of one of the machines, where they meet; only for several machines.
    """

    per_node: int = 1
    nodes: int = 1
    rendezvous: str = ""

    @property
    def is_single(self) -> bool:
        """Whether there is only one process, so torchrun is not needed."""
        return self.per_node == self.nodes == 1

    def command(self, folder: Path) -> list[str]:
        """The command to run on each machine.

        Args:
            folder: where the file of the job is.
        """
        rendezvous = ["--standalone"]
        if self.nodes > 1:
            rendezvous = [f"--nnodes={self.nodes}", "--rdzv-backend=c10d", f"--rdzv-endpoint={self.rendezvous}"]
            rendezvous += ["--rdzv-id=sentiment-pipeline"]
        torchrun = [sys.executable, "-m", "torch.distributed.run", *rendezvous, f"--nproc-per-node={self.per_node}"]
        return [*torchrun, "-m", __name__, str(folder)]


def train_in_processes(job: Job, processes: Processes, on_figures: FiguresCallback) -> TrainResult:
    """Train, or resume training, in several processes, or in this one if it is the only one.

    Args:
        job: what to train.
        processes: the number of processes.
        on_figures: called with each line of figures.

    Raises:
        PipelineError: as `train`; or a process ended without saying why.
        SettingsError: as `train`, if this is the only process.
    """
    if processes.is_single:
        return train(job, on_figures)
    with _launch_folder(job, processes) as folder, StopSignals() as stop:
        job.write(folder / layout.LAUNCH_JOB)
        threads = max(1, (os.cpu_count() or 1) // processes.per_node)
        environment = {**OPENMP_WAIT, **os.environ, "OMP_NUM_THREADS": str(threads)}
        running = subprocess.Popen(
            processes.command(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        stop.on_signal = running.send_signal  # torchrun passes it on to the processes, which save their state
        _follow(running, on_figures)
        stop.check()
        if running.wait():
            failures = [
                path.read_text(encoding="utf-8") for path in sorted(folder.glob(layout.launch_failure(layout.ANY)))
            ]
            raise PipelineError([*failures, f"a training process ended with code {running.returncode}; see above"][0])
        return TrainResult.read(folder)


@contextmanager
def _launch_folder(job: Job, processes: Processes) -> Iterator[Path]:
    """An empty folder for the files of one launch; of several machines, the others look for the job there."""
    if processes.nodes == 1:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    shared = job.checkpoints.parent / layout.LAUNCH
    shutil.rmtree(shared, ignore_errors=True)
    shared.mkdir(parents=True)
    yield shared


def _follow(running: "subprocess.Popen[str]", on_figures: FiguresCallback) -> None:
    """Pass figures on until the processes end, and log everything else that they print."""
    assert running.stdout is not None
    for line in running.stdout:
        try:
            figures = json.loads(line)
        except ValueError:
            log.warning(line.rstrip())
            continue
        if isinstance(figures, Mapping):
            on_figures(figures)


def _main(folder: Path) -> None:
    """Train the job in a folder as one of the processes; the first one writes the result there."""
    for number in SIGNALS:
        signal.signal(number, lambda *_: sys.exit(1))
    rank = os.environ.get("RANK", "0")
    try:
        result = train(Job.read(folder / layout.LAUNCH_JOB), _print_figures)
        if rank == "0":
            result.write(folder)
    except PipelineError as error:
        write_text(folder / layout.launch_failure(rank), str(error))
        sys.exit(1)


def _print_figures(values: Mapping[str, object]) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
