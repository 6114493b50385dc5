"""Using a trained model: `predict`, `serve`, `export`, `push`, `promote`."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_pipeline import layout
from sentiment_pipeline.console import DataDir, progress_shown
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.imports import collector_paused
from sentiment_pipeline.paths import user_path

if TYPE_CHECKING:
    from sentiment_pipeline.predict import Scored
    from sentiment_pipeline.progress import PlainObserver

__all__ = ["export", "predict", "promote", "push", "serve"]

Model = Annotated[
    str, typer.Option(metavar="DIR", help="The folder of a trained model, such as data/model, or hf://OWNER/NAME.")
]


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
    fast: Annotated[
        bool, typer.Option("--fast", help="Let the n-grams alone decide where they are sure; the label rarely differs.")
    ] = False,
) -> None:
    """Score reviews: one a line or row in, one JSON object a line out, in the same order.

    Example: sentiment-pipeline predict --model data/model reviews.csv --text review --output answers.parquet
    """
    with collector_paused():
        from sentiment_pipeline.predict import Predictor, check_output, write_file, write_json

    if (file == "-" and sys.stdin is None) or (output is None and sys.stdout is None):
        raise PipelineError("standard input or output is closed; name a file, and --output FILE.parquet")
    reviews = None if file == "-" else user_path(file)
    path = None if output is None else user_path(output)
    if path is not None:
        check_output(path, reviews)
    scored = Predictor(model).score_file(reviews, text or "", explain, fast)
    is_watched = sys.stderr is not None and sys.stderr.isatty() and (path is not None or not sys.stdout.isatty())
    with progress_shown() if is_watched else nullcontext() as observer:
        answers = scored if observer is None else _observed(scored, observer)
        if path is not None:
            write_file(answers, path)
        else:
            write_json(answers, sys.stdout)


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
    with collector_paused():
        from sentiment_pipeline.serve import Address
        from sentiment_pipeline.serve import serve as serve_model

    serve_model(model, Address(host, port, token))


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


def promote(data_dir: DataDir = None) -> None:
    """Put the model before back as the published one, and the published one in its place; again to undo that.

    Example: sentiment-pipeline promote --data-dir data
    """
    from sentiment_pipeline.stages.promote import promote as promote_model

    folder = user_path(data_dir if data_dir is not None else "data")
    promote_model(folder)
    print(f"{folder / layout.MODEL} is the model before; the one that was published is {folder / layout.MODEL_BEFORE}")


def _observed(scored: "Iterable[Scored]", observer: "PlainObserver") -> "Iterator[Scored]":
    """The same, with the reviews, their rate and the seconds that are left shown as they come."""
    started, reviews = time.monotonic(), 0
    for batch in scored:
        yield batch
        reviews += len(batch.probabilities)
        seconds = time.monotonic() - started
        figures = {"reviews": reviews, "reviews_per_s": round(reviews / seconds)}
        if batch.read:
            figures["seconds_left"] = round(seconds / batch.read - seconds)
        observer.progressed("predict", figures)
