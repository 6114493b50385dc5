"""Download the real reviews from Kaggle: 3,600,000 for training and 400,000 for testing.

kagglehub downloads into a cache of its own, where it resumes an interrupted download; from there the files are copied.
"""

import shutil
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.inputs.compression import compression_of

__all__ = ["download"]

_DATASET = "bittlingmayer/amazonreviews"  # on Kaggle


def download(folder: Path) -> list[Path]:
    """Download `train.ft.txt.bz2` and `test.ft.txt.bz2` to `folder`, unless they exist.

    Returns:
        The files that existed and were kept, whatever they are.

    Raises:
        PipelineError: a file cannot be downloaded or written; says why, and how to get the files by other means.
    """
    kept = []
    for name in map(layout.input_file, layout.SOURCES):
        if (folder / name).exists():
            kept.append(folder / name)
        else:
            cached = _fetch(name, folder)
            with published(folder / name) as temporary:
                shutil.copyfile(cached, temporary)
    return kept


def _fetch(name: str, folder: Path) -> Path:
    """Download a file of the data set to kagglehub's cache.

    Args:
        folder: where the user wants the files, for the error message.
    """
    try:
        import kagglehub  # here, because it is optional and slow to import

        path = Path(kagglehub.dataset_download(_DATASET, path=name))
        with path.open("rb") as file:
            if compression_of(file.read(10)) != "bz2":
                raise ValueError("what Kaggle sent is not a .bz2 file")
        return path
    except Exception as error:  # kagglehub raises the errors of all libraries that it uses
        raise PipelineError(
            f"cannot download {name} from Kaggle: {_reason(error)}; or download it by hand from "
            f"https://www.kaggle.com/datasets/{_DATASET} into {folder}"
        ) from error


def _reason(error: Exception) -> str:
    """What failed and what to do about it, in one line."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, ImportError):
        return "kagglehub is not installed; run pip install kagglehub"
    if status in (401, 403) or type(error).__name__ in ("UnauthenticatedError", "CredentialError"):
        return "Kaggle requires an account; set KAGGLE_USERNAME and KAGGLE_KEY to your API token"
    if status is not None:
        return f"Kaggle responded with status {status}; try again later"
    if isinstance(error, OSError) and error.errno is None:  # as those of the library requests
        return "Kaggle cannot be reached; check the network"
    return " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())[:200]
