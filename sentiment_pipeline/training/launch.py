"""Training in several processes of this machine, one for each GPU, from one call.

torchrun starts them, restarts none and ends all when one fails. The job, its result and what a process failed of
travel as files; the figures as lines of JSON on the first process's standard output.

On several machines that share the data folder, `train_in_processes` runs on one, and on each of the others, started
before or after it, the command that `Processes.command` makes:
`torchrun --nnodes N --nproc-per-node G --rdzv-backend c10d --rdzv-endpoint HOST:PORT --rdzv-id sentiment-pipeline
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
from sentiment_pipeline.training.trainer import train

__all__ = ["Processes", "train_in_processes"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Processes:
    """How many processes train together.

    Attributes:
        each: on each machine.
        nodes: machines.
        rendezvous: HOST:PORT of one of them, where they meet; for several machines only.
    """

    each: int = 1
    nodes: int = 1
    rendezvous: str = ""

    @property
    def alone(self) -> bool:
        return self.each == self.nodes == 1

    def command(self, folder: Path) -> list[str]:
        """What to run on each machine for the job in `folder`."""
        meeting = (
            ["--standalone"]
            if self.nodes == 1
            else [
                "--nnodes",
                str(self.nodes),
                "--rdzv-backend",
                "c10d",
                "--rdzv-endpoint",
                self.rendezvous,
                "--rdzv-id",
                "sentiment-pipeline",
            ]
        )
        return [
            sys.executable,
            "-m",
            "torch.distributed.run",
            *meeting,
            "--nproc-per-node",
            str(self.each),
            "-m",
            __name__,
            str(folder),
        ]


def train_in_processes(job: Job, processes: Processes, on_figures: FiguresCallback) -> TrainResult:
    """`train` in several processes, or in this one, if it is alone.

    Raises:
        PipelineError: as `train`; or the processes ended in a way that none of them explained.
    """
    if processes.alone:
        return train(job, on_figures)
    with _launch_folder(job, processes) as folder, StopSignals() as stop:
        job.write(folder / layout.LAUNCH_JOB)
        threads = max(1, (os.cpu_count() or 1) // processes.each)
        environment = {**OPENMP_WAIT, **os.environ, "OMP_NUM_THREADS": str(threads)}
        running = subprocess.Popen(
            processes.command(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        stop.act = running.send_signal  # torchrun passes it on to the processes, which save their state
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
    """An empty folder for the files of one launch: where the other machines look for it, if there are any."""
    if processes.nodes == 1:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    shared = job.checkpoints.parent / layout.LAUNCH
    shutil.rmtree(shared, ignore_errors=True)
    shared.mkdir(parents=True)
    yield shared


def _follow(running: "subprocess.Popen[str]", on_figures: FiguresCallback) -> None:
    """Report the figures that come until the processes end, and log what else they say."""
    assert running.stdout is not None
    for line in running.stdout:
        try:
            figures = json.loads(line)
        except ValueError:
            log.warning(line.rstrip())
            continue
        if isinstance(figures, Mapping):
            on_figures(figures)


def main(folder: Path) -> None:
    """One of the processes: train the job in `folder`; the first one writes the result there."""
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
    main(Path(sys.argv[1]))
