"""Predict: score files of reviews with a model folder, a step a file, so that a rerun scores only what is not done.

Not a stage of the pipeline: its data folder is the folder that the answers go to.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.settings import ExecutionConfig
from sentiment_pipeline.stages.step import Report, Run, Stage, Step
from sentiment_pipeline.storage.files import remove_leftovers, sha256
from sentiment_pipeline.storage.lock import locked
from sentiment_pipeline.storage.manifest import JSON

VERSION = 1
MODEL = ("model.safetensors", "config.json", "vocabulary.parquet")


@dataclass(frozen=True)
class Prediction:
    """What to score, with what, and where the work is done."""

    model: Path
    files: tuple[Path, ...]
    execution: ExecutionConfig


@contextmanager
def opened(output: Path, prediction: Prediction) -> Iterator[Run]:
    """The folder of the answers, held for one run and rid of what a killed one left in it.

    Raises:
        PipelineError: another run holds the folder.
    """
    with locked(output):
        remove_leftovers(output)
        yield Run(output, prediction)


def plan(run: Run) -> Iterator[list[Step]]:
    """A step for each file of the run's `Prediction`."""
    model, files = run.settings.model, run.settings.files
    names = [output_name(path) for path in files]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SettingsError(f"two files would both become {min(twice)}; score them into folders of their own")
    missing = [path for path in (*(model / name for name in MODEL), *files) if not path.is_file()]
    if missing:
        raise PipelineError(f"{missing[0]} is not there; give the folder of a published model and existing files")
    parts = {name: sha256(model / name) for name in MODEL}
    yield [Step(
        name=f"predict/{name.removesuffix('.parquet')}",
        work=score,
        arguments={"model": model, "file": path, "output": name},
        depends={"version": VERSION, "model": parts, "file": sha256(path)},
        outputs=(name,),
    ) for name, path in zip(names, files, strict=True)]


def output_name(path: Path) -> str:
    """`reviews.txt.parquet` for `reviews.txt` and for `reviews.txt.bz2`."""
    return f"{path.name.removesuffix('.bz2')}.parquet"


def score(data_dir: Path, report: Report, *, model: Path, file: Path, output: str) -> Mapping[str, JSON]:
    from sentiment_pipeline.predict import Predictor, write_parquet  # here, because torch takes seconds to import

    return {"reviews": write_parquet(Predictor(model).predict(file), data_dir / output)}


STAGE = Stage("predict", plan)
