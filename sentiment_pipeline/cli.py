"""The command line: `run`, the stages alone, `search`, `predict`, `sample`, `download`, `status`, `verify`.

It calls the library directly and needs no server. Heavy modules are imported inside the commands, so that
`--help` and a wrong option answer at once. An expected failure is one line on standard error.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import Abort, TyperException

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.waiting import WAITING

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False,
                  help="From labelled reviews in two compressed files to a tested LSTM that scores new ones.")

Train = Annotated[Path | None, typer.Option("--train", readable=False,  # said in one line when it is opened
                                            help="Training reviews: fastText lines, .bz2 or plain.")]
Test = Annotated[Path | None, typer.Option("--test", readable=False, help="Test reviews, in the same form.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir",
                                              help="The folder for everything that is made; by itself data.")]
Preset = Annotated[str | None, typer.Option(help="seed, quick or full; by itself full with a GPU, else quick.")]
Config = Annotated[Path | None, typer.Option(readable=False, help="A TOML file of settings over the preset.")]
Assignments = Annotated[list[str] | None, typer.Option("--set", metavar="GROUP.NAME=VALUE",
                                                       help="One setting over the preset and the file; repeatable.")]


@app.command()
def run(train: Train = None, test: Test = None, data_dir: DataDir = None, preset: Preset = None,
        config: Config = None, assignments: Assignments = None) -> None:
    """Run all stages; finished ones are skipped, unfinished ones go on."""
    from sentiment_pipeline.stages.pipeline import STAGES

    settings = load_settings(train, test, data_dir, preset, config, assignments)
    execute(STAGES, settings)
    show_result(settings.data_dir)


@app.command()
def prepare(train: Train = None, test: Test = None, data_dir: DataDir = None, preset: Preset = None,
            config: Config = None, assignments: Assignments = None) -> None:
    """Run the stages up to the training files: ingest, tokenize, vocabulary, encode."""
    from sentiment_pipeline.stages.pipeline import PREPARE

    execute(PREPARE, load_settings(train, test, data_dir, preset, config, assignments))


@app.command(name="train")
def train_command(train: Train = None, test: Test = None, data_dir: DataDir = None, preset: Preset = None,
                  config: Config = None, assignments: Assignments = None) -> None:
    """Train; with --train and --test the stages before it too, where unfinished."""
    from sentiment_pipeline.stages.pipeline import PREPARE, TRAIN

    settings = load_settings(train, test, data_dir, preset, config, assignments)
    execute((*PREPARE, *TRAIN) if settings.train else TRAIN, settings)


@app.command()
def evaluate(train: Train = None, test: Test = None, data_dir: DataDir = None, preset: Preset = None,
             config: Config = None, assignments: Assignments = None) -> None:
    """Evaluate on the test set and publish the model; with --train and --test all that comes before it too."""
    from sentiment_pipeline.stages.pipeline import EVALUATE, STAGES

    settings = load_settings(train, test, data_dir, preset, config, assignments)
    execute(STAGES if settings.train else EVALUATE, settings)
    show_result(settings.data_dir)


@app.command()
def search(trials: Annotated[int, typer.Option(min=1, max=1_000_000, help="Trials there are to be in the end.")] = 20,
           vary: Annotated[list[str] | None, typer.Option(
               metavar="GROUP.NAME", help="A setting to search; repeatable. By itself the usual ones.")] = None,
           data_dir: DataDir = None, preset: Preset = None, config: Config = None,
           assignments: Assignments = None) -> None:
    """Search for better settings by training on a prepared folder; goes on where it stopped."""
    from sentiment_pipeline.search import USUAL, Search
    from sentiment_pipeline.stages.pipeline import opened

    settings = load_settings(None, None, data_dir, preset, config, assignments)
    with opened(settings) as run, watched() as watching:
        study = Search(run, vary or USUAL)
        while study.done() < trials:
            trial = study.try_next(lambda figures: watching.reported("trial", dict(figures)))
            print(f"trial {trial.number}: validation accuracy {trial.value:.4f}, {trial.params}", flush=True)
    print(f"best settings: {study.best}")


def load_settings(train: Path | None, test: Path | None, data_dir: Path | None, preset: str | None,
                  config: Path | None, assignments: list[str] | None) -> Any:
    """The settings that the options mean."""
    from sentiment_pipeline.settings import load

    return load({"train": train, "test": test, "data_dir": data_dir, "preset": preset}, config, assignments or ())


@contextmanager
def watched() -> Iterator[Any]:
    """What shows progress for as long as the block lasts."""
    from sentiment_pipeline.progress import observer

    with closing(observer()) as watching:
        yield watching


def execute(stages: Any, settings: Any) -> None:
    """Run `stages`."""
    from sentiment_pipeline.stages.execute import ProcessExecutor
    from sentiment_pipeline.stages.pipeline import opened, run_stages

    if settings.execution.runner == "dask":
        raise SettingsError("execution.runner is dask, which the Prefect flows use; start one of those, or set it to "
                            "processes for the command line")
    with watched() as watching, opened(settings) as run, ProcessExecutor(settings.execution.workers) as executor:
        run_stages(run, stages, executor, watching)


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

    if (file == "-" and sys.stdin is None) or (output is None and sys.stdout is None):
        raise PipelineError("standard input or output is closed; name a file, and --output FILE.parquet")
    predictions = Predictor(model).predict(None if file == "-" else Path(file))
    if output:
        write_parquet(predictions, output)
    else:
        write_json(predictions, sys.stdout)


@app.command()
def sample(folder: Path, reviews: Annotated[int, typer.Option(min=10, max=1 << 40)] = 25_000,
           seed: Annotated[int, typer.Option(min=0, max=(1 << 63) - 1)] = 0) -> None:
    """Write synthetic reviews in the real format: nine tenths to train.ft.txt.bz2, the rest to test.ft.txt.bz2."""
    from sentiment_pipeline.sample import write_sample

    with watched() as watching:
        write_sample(folder, reviews, seed, lambda values: watching.reported("sample", dict(values)))


@app.command()
def download(folder: Path) -> None:
    """Fetch the real files from Kaggle."""
    from sentiment_pipeline.download import download as fetch

    fetch(folder)


@app.command()
def status(train: Train = None, test: Test = None, data_dir: DataDir = None, preset: Preset = None,
           config: Config = None, assignments: Assignments = None) -> None:
    """Say of each stage what is finished, unfinished or stale, and why; by itself for the last run's settings."""
    from sentiment_pipeline.settings import FILES, load, recall
    from sentiment_pipeline.stages.status import lines
    from sentiment_pipeline.stages.step import Run

    base = recall(data_dir or Path("data"))
    if preset or config:  # then the last run's other settings say nothing
        base = {name: base[name] for name in FILES if name in base}
    settings = load({"train": train, "test": test, "data_dir": data_dir, "preset": preset}, config, assignments or (),
                    base)
    for line in lines(Run(settings.data_dir, settings)):
        print(line)


@app.command()
def verify(data_dir: DataDir = None) -> None:
    """Re-read and check every published file; name each damaged or missing one."""
    from sentiment_pipeline.stages.verify import damage

    found = damage(data_dir or Path("data"))
    for line in found:
        print(line)
    if found:
        raise PipelineError(f"{len(found)} damaged or missing; run again to rebuild exactly those")
    print("every published file is as its manifest says")


def main() -> None:
    """Run the command line; expected failures are one line and an exit code of 1, or 2 for wrong usage."""
    os.environ.update({**WAITING, **os.environ})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    fail_in_one_line(app)


def fail_in_one_line(command: Callable[..., Any]) -> None:
    """Run a Typer command; tell an expected failure in one line and exit as the interface says."""
    try:
        sys.exit(command(standalone_mode=False))
    except TyperException as error:
        fail(f"{error.format_message()} (--help tells what there is)", 2)
    except SettingsError as error:
        fail(str(error), 2)
    except PipelineError as error:
        fail(str(error), 1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        fail(f"{where}{(error.strerror or str(error)).lower()}; check the disk and who may do what there", 1)
    except MemoryError:
        fail("out of memory; lower execution.workers or training.batch_size, or work where there is more", 1)
    except (Abort, KeyboardInterrupt):
        sys.exit(130)


def fail(message: str, code: int) -> None:
    print(f"sentiment-pipeline: {' '.join(message.splitlines())}", file=sys.stderr)
    sys.exit(code)
