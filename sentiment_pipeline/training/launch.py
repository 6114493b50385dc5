"""Training in several processes of this machine, one for each GPU, from one call.

torchrun starts them, restarts none and ends all when one fails. The job, its result and what a process failed of
travel as files; the figures as lines of JSON on the first process's standard output.

On several machines, run on each, with a folder that all of them share:
`torchrun --nnodes N --nproc-per-node G --rdzv-endpoint HOST:PORT -m sentiment_pipeline.training.launch FOLDER`,
where FOLDER holds `job.json` as `Job.write` makes it.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.storage.files import write_text
from sentiment_pipeline.training.history import Report
from sentiment_pipeline.training.job import Job, TrainResult
from sentiment_pipeline.training.stopping import SIGNALS, StopSignals
from sentiment_pipeline.training.trainer import train

FAILURE = "failure-of-process-"  # with the process's number, the file that tells why it failed


def train_in_processes(job: Job, processes: int, report: Report) -> TrainResult:
    """`train` in this many processes; in this one, if it is one.

    Raises:
        PipelineError: as `train`; or the processes ended in a way that none of them explained.
    """
    if processes == 1:
        return train(job, report)
    with tempfile.TemporaryDirectory() as folder, StopSignals() as stop:
        job.write(Path(folder) / "job.json")
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes),
                   "-m", __name__, folder]
        threads = max(1, (os.cpu_count() or 1) // processes)
        environment = {"OMP_WAIT_POLICY": "passive", **os.environ, "OMP_NUM_THREADS": str(threads)}
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        stop.act = running.send_signal  # torchrun passes it on to the processes, which save their state
        follow(running, report)
        stop.check()
        if running.wait():
            failures = [path.read_text(encoding="utf-8") for path in sorted(Path(folder).glob(f"{FAILURE}*"))]
            raise PipelineError([*failures, f"a training process ended with code {running.returncode}; see above"][0])
        return TrainResult.read(Path(folder))


def follow(running: "subprocess.Popen[str]", report: Report) -> None:
    """Report the figures that come until the processes end."""
    assert running.stdout is not None
    for line in running.stdout:
        try:
            figures = json.loads(line)
        except ValueError:
            continue  # what some library prints
        if isinstance(figures, Mapping):
            report(figures)


def main(folder: Path) -> None:
    """One of the processes: train the job in `folder`; the first one writes the result there."""
    for number in SIGNALS:
        signal.signal(number, lambda *_: sys.exit(1))
    rank = os.environ.get("RANK", "0")
    try:
        result = train(Job.read(folder / "job.json"), tell)
        if rank == "0":
            result.write(folder)
    except PipelineError as error:
        write_text(folder / f"{FAILURE}{rank}", str(error))
        sys.exit(str(error))


def tell(values: Mapping[str, object]) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
