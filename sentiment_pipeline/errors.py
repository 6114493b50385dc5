"""The failures that are expected: each is one clear line that names the file or setting and the remedy.

Whatever else is raised is a defect of the program and keeps its traceback.
"""


class PipelineError(Exception):
    """The run failed for a reason its user can act on (exit code 1)."""


class SettingsError(PipelineError):
    """Wrong usage or settings, found before any work began (exit code 2)."""
