"""One set of colours for the page and its pictures, light and dark, and how a picture is drawn and written in them.

A picture is drawn in the light colours. In its SVG each of them is replaced by a reference to the page's colour of
that name, so that a picture in the page follows the reader's preference. As PNG the same figure is a light one. A
figure is made without pyplot, so no global state is kept and any thread may draw.
"""

import io
import re
from collections.abc import Callable
from functools import wraps
from html import escape
from typing import Any, ParamSpec

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["BLUE", "COLOURS", "INK", "LINE", "MUTED", "ORANGE", "SURFACE", "axes", "in_theme", "png", "svg"]

_Arguments = ParamSpec("_Arguments")

COLOURS = {  # name: light, dark
    "page": ("#fafaf8", "#15161a"),
    "surface": ("#fffffe", "#1d1f24"),
    "ink": ("#1c1d21", "#ececf0"),
    "muted": ("#6a6d75", "#9a9da8"),
    "line": ("#e3e3df", "#32343c"),
    "blue": ("#2b6cd4", "#6ea4f7"),
    "orange": ("#d9601f", "#f2935c"),
}
INK, MUTED, LINE, BLUE, ORANGE, SURFACE = (
    COLOURS[name][0] for name in ("ink", "muted", "line", "blue", "orange", "surface")
)

_MATPLOTLIB: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text, in the page's font
    "svg.hashsalt": "sentiment-pipeline",  # the same figure gives the same bytes
    "text.parse_math": False,
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9.5,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.facecolor": SURFACE,
}


def in_theme(draw: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    """A decorator: draw with the project's matplotlib settings."""

    @wraps(draw)
    def drawn(*args: _Arguments.args, **options: _Arguments.kwargs) -> Figure:
        with matplotlib.rc_context(_MATPLOTLIB):
            return draw(*args, **options)

    return drawn


def axes() -> tuple[Figure, Axes]:
    """An empty figure and its one plot, in the size that every picture has."""
    figure = Figure(figsize=(5.6, 3.0), layout="constrained")
    return figure, figure.add_subplot()


def svg(figure: Figure, description: str) -> str:
    """The figure as an inline `<svg>` in the page's colours, with `description` for those who cannot see it."""
    file = io.StringIO()
    with matplotlib.rc_context(_MATPLOTLIB):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    for name, (light, _) in COLOURS.items():
        text = text.replace(light, f"var(--{name})")
    text = re.sub(r"<svg ", f'<svg role="img" aria-label="{escape(description)}" ', text, count=1)
    return re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)


def png(figure: Figure) -> bytes:
    """The figure as a PNG image in the light colours."""
    file = io.BytesIO()
    with matplotlib.rc_context(_MATPLOTLIB):
        figure.savefig(file, format="png", dpi=160, metadata={"Software": None})
    return file.getvalue()
