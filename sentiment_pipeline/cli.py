"""The command line: `run`, the stages alone, `predict`, `sample`, `download`, `status`, `verify`.

It calls the library directly and needs no server. Heavy modules are imported inside the commands, so that
`--help` and a wrong option answer at once. An expected failure is one line on standard error.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sentiment_pipeline.errors import PipelineError, SettingsError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="From labelled reviews in two compressed files to a tested LSTM that scores new ones.")

Train = Annotated[Path | None, typer.Option("--train", readable=False,  # said in one line when it is opened
                                            help="Training reviews: fastText lines, .bz2 or plain.")]
Test = Annotated[Path | None, typer.Option("--test", readable=False, help="Test reviews, in the same form.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The folder for everything that is made.")]
Preset = Annotated[str | None, typer.Option(help="seed, quick or full; by itself full with a GPU, else quick.")]
Config = Annotated[Path | None, typer.Option(readable=False, help="A TOML file of settings over the preset.")]
Assignments = Annotated[list[str] | None, typer.Option("--set", metavar="GROUP.NAME=VALUE",
                                                       help="One setting over the preset and the file; repeatable.")]


@app.command()
def run(train: Train = None, test: Test = None, data_dir: DataDir = None, preset: Preset = None,
        config: Config = None, assignments: Assignments = None) -> None:
    """Run all stages; finished ones are skipped, unfinished ones go on."""
    from sentiment_pipeline.stages.pipeline import STAGES

    settings = execute(STAGES, train, test, data_dir, preset, config, assignments)
    show_result(settings.data_dir)


@app.command()
def prepare(train: Train = None, test: Test = None, data_dir: DataDir = None, preset: Preset = None,
            config: Config = None, assignments: Assignments = None) -> None:
    """Run the stages up to the training files: ingest, tokenize, vocabulary, encode."""
    from sentiment_pipeline.stages.pipeline import PREPARE

    execute(PREPARE, train, test, data_dir, preset, config, assignments)


@app.command(name="train")
def train_command(train: Train = None, test: Test = None, data_dir: DataDir = None, preset: Preset = None,
                  config: Config = None, assignments: Assignments = None) -> None:
    """Train; with --train and --test the stages before it too, where unfinished."""
    from sentiment_pipeline.stages.pipeline import PREPARE, TRAIN

    execute((*PREPARE, *TRAIN) if train else TRAIN, train, test, data_dir, preset, config, assignments)


@app.command()
def evaluate(train: Train = None, test: Test = None, data_dir: DataDir = None, preset: Preset = None,
             config: Config = None, assignments: Assignments = None) -> None:
    """Evaluate on the test set and publish the model; with --train and --test all that comes before it too."""
    from sentiment_pipeline.stages.pipeline import EVALUATE, STAGES

    settings = execute(STAGES if train else EVALUATE, train, test, data_dir, preset, config, assignments)
    show_result(settings.data_dir)


@app.command()
def search(trials: Annotated[int, typer.Option(min=1, max=1_000_000, help="Trials there are to be in the end.")] = 20,
           vary: Annotated[list[str] | None, typer.Option(
               metavar="GROUP.NAME", help="A setting to search; repeatable. By itself the usual ones.")] = None,
           data_dir: DataDir = None, preset: Preset = None, config: Config = None,
           assignments: Assignments = None) -> None:
    """Search for better settings by training on a prepared folder; goes on where it stopped."""
    from sentiment_pipeline.progress import observer
    from sentiment_pipeline.search import USUAL, Search
    from sentiment_pipeline.settings import load
    from sentiment_pipeline.stages.pipeline import opened

    settings = load({"data_dir": data_dir, "preset": preset}, config, assignments or ())
    watching = observer()
    try:
        with opened(settings) as run:
            study = Search(run, vary or USUAL)
            while study.done() < trials:
                trial = study.try_next(lambda figures: watching.reported("trial", dict(figures)))
                print(f"trial {trial.number}: validation accuracy {trial.value:.4f}, {trial.params}", flush=True)
    finally:
        watching.close()
    print(f"best settings: {study.best}")


def execute(stages: Any, train: Path | None, test: Path | None, data_dir: Path | None, preset: str | None,
            config: Path | None, assignments: list[str] | None) -> Any:
    """Run `stages` with the settings of the options; return the settings."""
    from sentiment_pipeline.progress import observer
    from sentiment_pipeline.settings import load
    from sentiment_pipeline.stages.execute import ProcessExecutor
    from sentiment_pipeline.stages.pipeline import opened, run_stages

    settings = load({"train": train, "test": test, "data_dir": data_dir, "preset": preset}, config, assignments or ())
    watching = observer()
    try:
        with opened(settings) as run, ProcessExecutor(settings.execution.workers) as executor:
            run_stages(run, stages, executor, watching)
    finally:
        watching.close()
    return settings


def show_result(data_dir: Path) -> None:
    """Print the test metrics, and where the model and the report are."""
    metrics = json.loads((data_dir / "metrics.json").read_text())
    print(f"test: accuracy {metrics['test']['accuracy']:.4f}, loss {metrics['test']['loss']:.4f}, "
          f"{metrics['test']['reviews']:,} reviews")
    print(f"model: {data_dir / 'model'}\nreport: {data_dir / 'report.html'}")


@app.command()
def predict(model: Annotated[Path, typer.Option(help="The folder of a trained model, such as data/model.")],
            file: Annotated[str, typer.Argument(
                help="One review a line, plain or fastText, also .bz2; - for a pipe.")] = "-",
            output: Annotated[Path | None, typer.Option(help="Write this Parquet file instead of JSON lines.")] = None,
            ) -> None:
    """Score reviews: one a line in, one JSON object a line out, in the same order."""
    from sentiment_pipeline.predict import Predictor, write_json, write_parquet

    predictions = Predictor(model).predict(None if file == "-" else Path(file))
    if output:
        write_parquet(predictions, output)
    else:
        write_json(predictions, sys.stdout)


@app.command()
def sample(folder: Path, reviews: Annotated[int, typer.Option(min=1, max=1 << 40)] = 25_000,
           seed: Annotated[int, typer.Option(min=0, max=(1 << 63) - 1)] = 0) -> None:
    """Write synthetic reviews in the real format: nine tenths to train.ft.txt.bz2, the rest to test.ft.txt.bz2."""
    from sentiment_pipeline.sample import write_sample

    write_sample(folder, reviews, seed)


@app.command()
def download(folder: Path) -> None:
    """Fetch the real files from Kaggle."""
    from sentiment_pipeline.download import download as fetch

    fetch(folder)


@app.command()
def status(train: Train = None, test: Test = None, data_dir: DataDir = None, preset: Preset = None,
           config: Config = None, assignments: Assignments = None) -> None:
    """Say of each stage what is finished, unfinished or stale, and why; by itself for the last run's settings."""
    from sentiment_pipeline.settings import load, recall
    from sentiment_pipeline.stages.status import lines
    from sentiment_pipeline.stages.step import Run

    base = {} if train or test or preset or config else recall(data_dir or Path("data"))
    settings = load({"train": train, "test": test, "data_dir": data_dir, "preset": preset}, config, assignments or (),
                    base)
    for line in lines(Run(settings.data_dir, settings)):
        print(line)


@app.command()
def verify(data_dir: DataDir = Path("data")) -> None:
    """Re-read and check every published file; name each damaged or missing one."""
    from sentiment_pipeline.stages.verify import damage

    found = damage(Path(data_dir or "data"))
    for line in found:
        print(line)
    if found:
        raise PipelineError(f"{len(found)} damaged or missing; run again to rebuild exactly those")
    print("every published file is as its manifest says")


def main() -> None:
    """Run the command line; expected failures are one line and an exit code of 1, or 2 for wrong usage."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is loaded; see the Makefile
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        app()
    except SettingsError as error:
        fail(error, 2)
    except PipelineError as error:
        fail(error, 1)


def fail(error: PipelineError, code: int) -> None:
    print(f"sentiment-pipeline: {error}", file=sys.stderr)
    sys.exit(code)
