"""The failures that are expected: each is one clear line that names the file or setting and the remedy.

    Exception
    └── PipelineError          the run failed for a reason its user can act on (exit code 1)
        ├── SettingsError      wrong usage or settings, found before any work began (exit code 2)
        ├── WorkerLostError    a worker process was killed (engine.workers); the step may be tried again
        └── Stopped            a signal asked for an end (training.signals)

Whatever else is raised is a defect of the program and keeps its traceback.
"""

__all__ = ["PipelineError", "SettingsError", "expected_failure"]

_EXTRAS = {
    "matplotlib": "report",
    "optuna": "search",
    "sqlalchemy": "search",
    "prefect": "flows",
    "fastapi": "serve",
    "uvicorn": "serve",
}  # by package


class PipelineError(Exception):
    """The run failed for a reason its user can act on (exit code 1)."""


class SettingsError(PipelineError):
    """Wrong usage or settings, found before any work began (exit code 2)."""


def expected_failure(error: BaseException) -> PipelineError | None:
    """The failure that `error` is to a user, in one line; None for a defect.

    The command line and the flows both ask this, so that they report the same failures in the same words.
    """
    if isinstance(error, PipelineError):
        return error
    if isinstance(error, ModuleNotFoundError) and error.name in _EXTRAS:
        return PipelineError(f"{error.name} is not installed; pip install sentiment-pipeline[{_EXTRAS[error.name]}]")
    if isinstance(error, MemoryError):
        return PipelineError(
            "out of memory; lower execution.workers or training.batch_size, or use a machine with more"
        )
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        reason = (error.strerror or str(error)).lower()
        return PipelineError(f"{where}{reason}; check the disk and the permissions there")
    return None
