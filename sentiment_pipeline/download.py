"""The real reviews, from Kaggle: 3,600,000 to train on and 400,000 to test on.

kagglehub keeps what it fetches in a cache of its own and takes up a broken download there; from it the files are copied
to where they are wanted, whole or not at all.
"""

import shutil
from pathlib import Path

from sentiment_pipeline.engine.files import published
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.text.source import BZ2_START

DATASET = "bittlingmayer/amazonreviews"
FILES = ("train.ft.txt.bz2", "test.ft.txt.bz2")


def download(folder: Path) -> None:
    """Put the files into `folder`; one that is there already is left as it is.

    Raises:
        PipelineError: a file cannot be fetched or written; says why, and how to get the files otherwise.
    """
    for name in FILES:
        if not (folder / name).exists():
            fetched = fetch(name, folder)
            with published(folder / name) as temporary:
                shutil.copyfile(fetched, temporary)


def fetch(name: str, folder: Path) -> Path:
    """A file of the data set, in kagglehub's cache."""
    try:
        import kagglehub  # here, because it is slow to import and whoever has the files does without it

        path = Path(kagglehub.dataset_download(DATASET, path=name))
        with path.open("rb") as file:
            if not BZ2_START.match(file.read(10)):
                raise ValueError("what Kaggle gave is not a .bz2 file")
        return path
    except Exception as error:  # kagglehub lets through the errors of all that it is built on
        raise PipelineError(
            f"cannot download {name} from Kaggle: {reason(error)}; or download it by hand from "
            f"https://www.kaggle.com/datasets/{DATASET} into {folder}"
        ) from error


def reason(error: Exception) -> str:
    """What failed, and what to do about it, in one line."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, ImportError):
        return "kagglehub is not installed; run pip install kagglehub"
    if status in (401, 403) or type(error).__name__ in ("UnauthenticatedError", "CredentialError"):
        return "Kaggle asks who you are; set KAGGLE_USERNAME and KAGGLE_KEY to your API token"
    if status is not None:
        return f"Kaggle answered with status {status}; try again later"
    if isinstance(error, OSError) and error.errno is None:  # as the errors of requests are
        return "Kaggle cannot be reached; check the network"
    return " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())[:200]
