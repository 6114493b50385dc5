"""The command line: `run`, the stages alone, `search`, `predict`, `serve`, `sample`, `download`, `status`, and so on.

It calls the library directly and needs no server. Heavy modules are imported inside the commands, so that
`--help` and a wrong option answer at once. An expected failure is one line on standard error.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_pipeline import __version__
from sentiment_pipeline.console import (
    Assignments,
    Config,
    DataDir,
    Label,
    Preset,
    Test,
    Text,
    Train,
    choices_of_options,
    exit_in_one_line,
    input_group,
    progress_shown,
    show_result,
)
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.openmp import OPENMP_WAIT
from sentiment_pipeline.paths import user_path

if TYPE_CHECKING:
    from sentiment_pipeline.engine.stage import Stage
    from sentiment_pipeline.settings import Settings

__all__ = ["app", "main"]

Model = Annotated[
    str, typer.Option(metavar="DIR", help="The folder of a trained model, such as data/model, or hf://OWNER/NAME.")
]

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From labelled reviews in two compressed files to a tested LSTM that scores new ones.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """From labelled reviews in two compressed files to a tested LSTM that scores new ones."""


@app.command()
def run(
    train: Train = None,
    test: Test = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    text: Text = None,
    label: Label = None,
    assignments: Assignments = None,
) -> None:
    """Run all stages; finished ones are skipped, unfinished ones continue.

    Example: sentiment-pipeline run --train train.ft.txt.bz2 --test test.ft.txt.bz2 --preset quick
    """
    from sentiment_pipeline.stages.pipeline import STAGES

    settings = choices_of_options(train, test, data_dir, preset, config, assignments, text, label).resolve()
    _execute(STAGES, settings)
    show_result(settings.data_dir)


@app.command()
def prepare(
    train: Train = None,
    test: Test = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    text: Text = None,
    label: Label = None,
    assignments: Assignments = None,
) -> None:
    """Run the stages up to the training files: ingest, tokenize, vocabulary, encode.

    Example: sentiment-pipeline prepare --train train.ft.txt.bz2 --test test.ft.txt.bz2
    """
    from sentiment_pipeline.stages.pipeline import PREPARE

    _execute(PREPARE, choices_of_options(train, test, data_dir, preset, config, assignments, text, label).resolve())


@app.command(name="train")
def train_command(
    train: Train = None,
    test: Test = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    text: Text = None,
    label: Label = None,
    assignments: Assignments = None,
) -> None:
    """Train; with --train and --test the stages before it too, where unfinished.

    Example: sentiment-pipeline train --set training.epochs=3
    """
    from sentiment_pipeline.stages.pipeline import PREPARE, TRAIN

    settings = choices_of_options(train, test, data_dir, preset, config, assignments, text, label).resolve()
    _execute((*PREPARE, *TRAIN) if settings.train else TRAIN, settings)


@app.command()
def evaluate(
    train: Train = None,
    test: Test = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    text: Text = None,
    label: Label = None,
    assignments: Assignments = None,
) -> None:
    """Evaluate on the test set and publish the model; with --train and --test the stages before it too.

    Example: sentiment-pipeline evaluate --data-dir data
    """
    from sentiment_pipeline.stages.pipeline import EVALUATE, STAGES

    settings = choices_of_options(train, test, data_dir, preset, config, assignments, text, label).resolve()
    _execute(STAGES if settings.train else EVALUATE, settings)
    show_result(settings.data_dir)


@app.command()
def search(
    trials: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Trials in all, with those of earlier searches.")
    ] = 20,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GROUP.NAME",
            help="A setting to search; repeatable.  [default: learning rate, dropout, hidden units]",
        ),
    ] = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    assignments: Assignments = None,
) -> None:
    """Search for better settings by training on a prepared folder; continues an earlier search.

    Example: sentiment-pipeline search --trials 20 --vary training.learning_rate
    """
    from sentiment_pipeline.search import DEFAULT_VARY, Search
    from sentiment_pipeline.stages.pipeline import open_data_folder

    settings = choices_of_options(None, None, data_dir, preset, config, assignments).resolve()
    with open_data_folder(settings) as run, progress_shown() as observer:
        study = Search(run, vary or DEFAULT_VARY)
        while study.finished_trials() < trials:
            trial = study.run_trial(lambda figures: observer.progressed("trial", dict(figures)))
            print(f"trial {trial.number}: validation accuracy {trial.value:.4f}, {trial.params}", flush=True)
    print(f"best settings: {study.best_settings}")


@app.command()
def predict(
    model: Model,
    file: Annotated[
        str,
        typer.Argument(
            metavar="[FILE]",
            help="Reviews: lines, CSV, TSV or JSON lines, also compressed; Parquet or Arrow; - for a pipe.",
        ),
    ] = "-",
    output: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write this file instead of JSON lines to the terminal: .parquet, .jsonl or .csv."
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column of the text in a table; its other columns are kept."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add the words that moved the score most; slower.")
    ] = False,
) -> None:
    """Score reviews: one a line or row in, one JSON object a line out, in the same order.

    Example: sentiment-pipeline predict --model data/model reviews.csv --text review --output answers.parquet
    """
    from sentiment_pipeline.predict import Predictor, check_output, write_file, write_json

    if (file == "-" and sys.stdin is None) or (output is None and sys.stdout is None):
        raise PipelineError("standard input or output is closed; name a file, and --output FILE.parquet")
    reviews = None if file == "-" else user_path(file)
    path = None if output is None else user_path(output)
    if path is not None:
        check_output(path, reviews)
    scored = Predictor(model).score_file(reviews, text or "", explain)
    if path is not None:
        write_file(scored, path)
    else:
        write_json(scored, sys.stdout)


@app.command()
def serve(
    model: Model,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 for any free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Another address than 127.0.0.1 needs a token.")] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            envvar="SENTIMENT_PIPELINE_TOKEN",
            show_envvar=True,
            help="What requests must bring, as Authorization: Bearer TOKEN.",
        ),
    ] = None,
) -> None:
    """Serve a model over HTTP: POST /predict, a page to try it on at /, the API at /docs.

    Example: sentiment-pipeline serve --model data/model --port 8000
    """
    from sentiment_pipeline.serve import Address
    from sentiment_pipeline.serve import serve as serve_model

    serve_model(model, Address(host, port, token))


@app.command()
def export(
    model: Model,
    file: Annotated[str, typer.Argument(metavar="FILE.onnx", help="The file to write.")],
) -> None:
    """Write a model as an ONNX file, from token ids to probabilities, for programs without PyTorch.

    Example: sentiment-pipeline export --model data/model sentiment.onnx
    """
    try:
        from sentiment_pipeline.export import export_onnx
    except ImportError as error:
        raise PipelineError("export needs onnx; pip install sentiment-pipeline[export]") from error
    export_onnx(model, file)


@app.command()
def push(
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository; made if it is missing.")],
    model: Model,
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    license_name: Annotated[
        str, typer.Option("--license", metavar="NAME", help="The model's licence, as the Hub names it, such as mit.")
    ] = "",
) -> None:
    """Publish a model on the Hugging Face Hub, with the token of `hf auth login` or in HF_TOKEN.

    Example: sentiment-pipeline push --model data/model OWNER/NAME --license mit
    """
    from sentiment_pipeline.hub import push as push_model

    print(push_model(model, repository, private, license_name))


@app.command()
def sample(
    folder: Annotated[str, typer.Argument(metavar="DIR")],
    reviews: Annotated[int, typer.Option(min=10, max=1 << 40, help="Reviews in both files together.")] = 25_000,
    seed: Annotated[int, typer.Option(min=0, max=(1 << 63) - 1, help="The same seed gives the same files.")] = 0,
) -> None:
    """Write synthetic reviews in the real format: nine tenths to train.ft.txt.bz2, the rest to test.ft.txt.bz2.

    Example: sentiment-pipeline sample reviews --reviews 25000
    """
    from sentiment_pipeline.sample import write_sample

    with progress_shown() as observer:
        write_sample(user_path(folder), reviews, seed, lambda figures: observer.progressed("sample", dict(figures)))


@app.command()
def download(folder: Annotated[str, typer.Argument(metavar="DIR")]) -> None:
    """Download the real files from Kaggle.

    Example: sentiment-pipeline download reviews
    """
    from sentiment_pipeline.download import download as download_files

    for path in download_files(user_path(folder)):
        size = path.stat().st_size / 1e6
        print(f"kept {path}, which exists already ({size:,.1f} MB); delete it to download it again", file=sys.stderr)


@app.command()
def status(
    train: Train = None,
    test: Test = None,
    data_dir: DataDir = None,
    preset: Preset = None,
    config: Config = None,
    text: Text = None,
    label: Label = None,
    assignments: Assignments = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: stages, a list in their order.")] = False,
) -> None:
    """Show which stages are finished, unfinished or stale, and why (default: for the settings of the last run).

    Example: sentiment-pipeline status --set vocabulary.min_count=3
    """
    from sentiment_pipeline import layout
    from sentiment_pipeline.engine.stage import Run
    from sentiment_pipeline.engine.status import stage_statuses, status_lines
    from sentiment_pipeline.settings import load, read_last_run
    from sentiment_pipeline.stages.pipeline import STAGES

    base = read_last_run(user_path(data_dir if data_dir is not None else "data"))
    if preset or config:  # then the last run's other settings mean nothing
        base = {name: base[name] for name in layout.SOURCES if name in base}
    options = {"train": train, "test": test, "data_dir": data_dir, "preset": preset}
    settings = load(options, config, assignments or (), base, input_group(text, label))
    opened = Run(settings.data_dir, settings)
    if as_json:
        print(json.dumps({"stages": list(stage_statuses(opened, STAGES))}))
        return
    for line in status_lines(opened, STAGES):
        print(line)


@app.command()
def verify(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: damaged, a list of lines.")] = False,
) -> None:
    """Re-read and check every published file; name each damaged or missing one.

    Example: sentiment-pipeline verify --data-dir data
    """
    from sentiment_pipeline.engine.verify import damage
    from sentiment_pipeline.stages.pipeline import STAGES

    found = damage(user_path(data_dir if data_dir is not None else "data"), STAGES)
    if as_json:
        print(json.dumps({"damaged": found}))
    else:
        for line in found:
            print(line)
    if found:
        raise PipelineError(f"{len(found)} damaged or missing; run again to rebuild exactly those")
    if not as_json:
        print("every published file is as its manifest says")


@app.command(name="settings")
def settings_command(
    group: Annotated[str | None, typer.Argument(metavar="[GROUP]", help="Only this group, such as training.")] = None,
) -> None:
    """Show every setting with its meaning, its limits and its value in each preset.

    Example: sentiment-pipeline settings training
    """
    from sentiment_pipeline.settings.reference import print_reference

    print_reference(group)


def main() -> None:
    """Run the command line; expected failures are one line and an exit code of 1, or 2 for wrong usage."""
    os.environ.update({**OPENMP_WAIT, **os.environ})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    exit_in_one_line(app)


def _execute(stages: "Sequence[Stage[Settings]]", settings: "Settings") -> None:
    """Run `stages` with progress on standard error."""
    from sentiment_pipeline.stages.pipeline import run_in_folder

    with progress_shown() as observer:
        run_in_folder(stages, settings, observer)
