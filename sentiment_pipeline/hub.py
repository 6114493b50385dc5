"""Model folders on the Hugging Face Hub: `hf://OWNER/NAME` in place of a path, and publishing a folder there."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sentiment_pipeline import __version__, layout
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.paths import StrPath, user_path

__all__ = ["local_folder", "push"]

_SCHEME = "hf://"


def local_folder(model: StrPath) -> Path:
    """The model folder that `model` means; one on the Hub is downloaded, unless the local cache has it.

    Args:
        model: a path; or `hf://OWNER/NAME`, or `hf://OWNER/NAME@REVISION` for a branch, tag or commit.

    Raises:
        SettingsError: it is no such name.
        PipelineError: huggingface_hub is not installed, or the Hub has no such model, or cannot be reached.
    """
    if not str(model).startswith(_SCHEME):
        return user_path(model)
    hub = _import_hub()
    name, _, revision = str(model).removeprefix(_SCHEME).partition("@")
    with _one_line_errors(f"{_SCHEME}{name}"):
        return Path(
            hub.snapshot_download(
                _repository(name),
                revision=revision or None,
                allow_patterns=[*layout.MODEL_FILES, layout.MODEL_CARD, layout.LINEAGE],
                library_name="sentiment-pipeline",
                library_version=__version__,
            )
        )


def push(model: StrPath, repository: str, private: bool = False, license_name: str = "") -> str:
    """Upload a model folder as one commit; the repository is created if it is missing.

    Credentials are those of `hf auth login`, or the token in HF_TOKEN.

    Args:
        model: the folder.
        repository: its OWNER/NAME on the Hub.
        private: whether a new repository is private.
        license_name: the Hub's identifier of the model's licence, such as `mit`; empty: the card says `unknown`.

    Returns:
        The address of the repository.

    Raises:
        SettingsError: the name of the repository is wrong.
        PipelineError: huggingface_hub is not installed, a file is missing, or the Hub refuses or cannot be reached.
    """
    hub, folder, name = _import_hub(), user_path(model), _repository(repository)
    files = [folder / file for file in (*layout.MODEL_FILES, layout.MODEL_CARD)]
    if missing := [path for path in files if not path.is_file()]:
        raise PipelineError(f"{missing[0]} is missing; name a model folder, such as model/ of a data folder")
    if (folder / layout.LINEAGE).is_file():  # earlier versions did not write it
        files.append(folder / layout.LINEAGE)
    with _one_line_errors(name):
        card = hub.ModelCard.load(folder / layout.MODEL_CARD)
        card.data.license = license_name or card.data.license
        operations = [
            hub.CommitOperationAdd(path.name, str(card).encode() if path.name == layout.MODEL_CARD else path)
            for path in files
        ]
        api = hub.HfApi(library_name="sentiment-pipeline", library_version=__version__)
        address = str(api.create_repo(name, private=private or None, exist_ok=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that vocabulary.parquet may be meant for a data set
            api.create_commit(name, operations, commit_message=f"Model of sentiment-pipeline {__version__}")
    return address


def _import_hub() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise PipelineError("the Hub needs huggingface_hub; pip install sentiment-pipeline[hub]") from error
    return huggingface_hub


def _repository(name: str) -> str:
    """The name, if it can be one of a repository.

    Raises:
        SettingsError: it is none.
    """
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise SettingsError(f"'{name}' is no name of a repository; give OWNER/NAME") from error
    if name.count("/") != 1:
        raise SettingsError(f"'{name}' is no name of a repository; give OWNER/NAME")
    return name


@contextmanager
def _one_line_errors(name: str) -> Iterator[None]:
    """Turn what the Hub's library raises into one line.

    Raises:
        PipelineError: anything went wrong on the way to the Hub.
    """
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        yield
    except RepositoryNotFoundError as error:
        raise PipelineError(
            f"{name}: the Hub has no such repository, or it is private; check the name, or run hf auth login"
        ) from error
    except LocalEntryNotFoundError as error:
        raise PipelineError(f"{name}: the Hub cannot be reached, and no copy is in the cache; try again") from error
    except (HfHubHTTPError, HTTPError, OSError) as error:
        if isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 403):
            raise PipelineError(
                f"{name}: the Hub wants a token that may do this; run hf auth login, or set HF_TOKEN"
            ) from error
        raise PipelineError(f"{name}: the Hub answers: {str(error).partition(chr(10))[0]}") from error
