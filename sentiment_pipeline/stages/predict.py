"""Predict: score files of reviews with a model folder, a step a file, so that a rerun scores only new or changed files.

Not a stage of the pipeline: its data folder is the output folder.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.engine.manifest import JSON
from sentiment_pipeline.engine.stage import Run, Stage, open_folder
from sentiment_pipeline.engine.step import ProgressCallback, Step
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.inputs.source import COMPRESSED_SUFFIXES

__all__ = ["STAGE", "PredictionSettings", "open_output_folder", "scored_reviews"]

_VERSION = 1


@dataclass(frozen=True)
class PredictionSettings:
    """The model folder, and the files of reviews to score."""

    model: Path
    files: tuple[Path, ...]


@contextmanager
def open_output_folder(output: Path, settings: PredictionSettings) -> Iterator[Run[PredictionSettings]]:
    """Lock the output folder for one run, as `open_folder`.

    Raises:
        PipelineError: another run holds the folder.
    """
    with open_folder(output, [STAGE]):
        yield Run(output, settings)


def _plan(run: Run[PredictionSettings]) -> Iterator[list[Step]]:
    """Yield a step for each file.

    `predict/FILE` depends on the SHA-256 of the file and of the model's files. It publishes a Parquet file with the
    columns of `write_file`.

    Raises:
        SettingsError: two files have the same name.
        PipelineError: a file of reviews or of the model is missing.
    """
    model, files = run.settings.model, run.settings.files
    names = [_output_name(path) for path in files]
    if duplicates := {name for name in names if names.count(name) > 1}:
        raise SettingsError(f"two files would both become {min(duplicates)}; score them into different folders")
    missing = [path for path in (*(model / name for name in layout.MODEL_FILES), *files) if not path.is_file()]
    if missing:
        raise PipelineError(f"{missing[0]} is missing; give the folder of a published model and existing files")
    digests = {name: sha256(model / name) for name in layout.MODEL_FILES}
    yield [
        Step(
            name=_step_name(name),
            work=_score,
            arguments={"model": model, "file": path, "output": name},
            depends={"version": _VERSION, "model": digests, "file": sha256(path)},
            outputs=(name,),
        )
        for name, path in zip(names, files, strict=True)
    ]


def _output_name(path: Path) -> str:
    """`reviews.txt.parquet` for `reviews.txt` and for `reviews.txt.bz2`."""
    return f"{path.stem if path.suffix in COMPRESSED_SUFFIXES else path.name}.parquet"


def _step_name(output: str) -> str:
    """`predict/reviews.txt` for `reviews.txt.parquet`."""
    return f"{STAGE.name}/{output.removesuffix('.parquet')}"


def scored_reviews(run: Run[PredictionSettings]) -> int:
    """The number of reviews in the files of a finished run, whether it scored them or found them scored.

    Raises:
        PipelineError: a file is not scored.
    """
    steps = (_step_name(_output_name(path)) for path in run.settings.files)
    return sum(int(run.manifest(step).facts["reviews"]) for step in steps)


def _score(
    data_dir: Path, on_progress: ProgressCallback, *, model: Path, file: Path, output: str
) -> Mapping[str, JSON]:
    from sentiment_pipeline.predict import Predictor, write_file  # here, because torch takes seconds to import

    return {"reviews": write_file(Predictor(model).score_file(file), data_dir / output)}


STAGE = Stage("predict", _plan)
