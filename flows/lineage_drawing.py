"""Where a model comes from, as a Mermaid drawing: input files, stages with their digests, accuracy, model."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.chance import standard_error
from sentiment_pipeline.comparison import Folder
from sentiment_pipeline.formatting import counted, percent

__all__ = ["lineage_drawing"]

_FILES = 3  # named of each source
_DIGITS = 8  # of a SHA-256


def lineage_drawing(folder: Folder) -> str:
    """The lineage of a folder as Markdown: the drawing, and the versions that trained the model."""
    lines = "\n".join(f"  {line}" for line in _lines(folder))
    versions = ", ".join(f"{name} {version}" for name, version in folder.versions.items())
    return f"```mermaid\nflowchart LR\n{lines}\n```\n\nTrained with {versions}."


def _lines(folder: Folder) -> Iterator[str]:
    stages = list(folder.stages)
    for source, files in folder.inputs.items():
        names = [f"{file.name} {file.sha256[:_DIGITS]}" for file in files[:_FILES]]
        more = [f"and {counted(len(files) - _FILES, 'file')} more"] if len(files) > _FILES else []
        yield f"{source}{_node(source, *names, *more)} --> {stages[0]}_stage"
    for stage, digest in folder.stages.items():
        yield f"{stage}_stage({_label(stage, digest[:_DIGITS])})"
    yield f"model{_node(layout.MODEL, _accuracy(folder.metrics['test']))}"
    for before, after in pairwise([*(f"{stage}_stage" for stage in stages), "model"]):
        yield f"{before} --> {after}"


def _accuracy(figures: Mapping[str, Any]) -> str:
    error = percent(standard_error(figures["accuracy"], figures["reviews"]), 2)
    return f"test accuracy {percent(figures['accuracy'], 2)} ± {error}"


def _node(*lines: str) -> str:
    return f"[{_label(*lines)}]"


def _label(*lines: str) -> str:
    """Lines of a label; names of files may hold what Mermaid would read as its own."""
    escaped = (
        line.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace("`", "#96;") for line in lines
    )
    return f'"{"<br/>".join(escaped)}"'
