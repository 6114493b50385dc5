"""The curves of a training: its figures over the steps, thinned and smoothed, so that a picture stays small."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from sentiment_pipeline.report.theme import BLUE, INK, MUTED, ORANGE, SURFACE, axes, in_theme

__all__ = ["curves"]

_History = Sequence[Mapping[str, float]]
_Best = Callable[[Sequence[float]], float]

_POINTS = 400  # of a curve, at most
_SMOOTHING = 40  # a point is averaged with one in so many of all points on either side

_LEGEND: dict[str, Any] = dict(
    loc="lower right",
    bbox_to_anchor=(1, 1),
    ncols=2,
    frameon=False,
    fontsize=9,
    labelcolor=MUTED,
    handlelength=1.4,
    borderpad=0,
)
_RING: dict[str, Any] = dict(markersize=9, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.3)
_RING_TEXT: dict[str, Any] = dict(
    textcoords="offset points",
    ha="center",
    fontsize=9.5,
    fontweight="bold",
    bbox=dict(facecolor=SURFACE, edgecolor="none", alpha=0.8, pad=1.5),
)


class _Curve(NamedTuple):
    """How a figure of the history is shown.

    Attributes:
        name: of the figure.
        title: above the picture.
        note: below the title.
        format: of its values, with `x` for the value.
        best: `min` or `max`, to mark the best validation; without it the axis begins at zero.
    """

    name: str
    title: str
    note: str
    format: str
    best: _Best | None = None


_CURVES = (
    _Curve("loss", "Loss", "mean binary cross-entropy; the ring is the best validation", "{x:,.3g}", min),
    _Curve("accuracy", "Accuracy", "fraction of reviews classified correctly", "{x:.1%}", max),
    _Curve("reviews_per_s", "Throughput", "reviews a second", "{x:,.0f}"),
    _Curve("gradient_norm", "Gradient norm", "before clipping", "{x:,.3g}"),
)


def curves(history: _History) -> Iterator[tuple[str, str, Figure]]:
    """A title, a note and a picture for each figure that the history holds.

    Args:
        history: mappings with `step` and any figures, such as `loss`, and at validations `validation_loss`.
    """
    for curve in _CURVES:
        if any(curve.name in line for line in history):
            yield curve.title, curve.note, _draw(history, curve)


@in_theme
def _draw(history: _History, curve: _Curve) -> Figure:
    """The figure of the training batches, and that of the validations if there are any."""
    figure, plot = axes()
    steps, values = _thin(*_series(history, curve.name))
    plot.plot(steps, values, color=BLUE, linewidth=1, alpha=0.35)
    plot.plot(steps, _smooth(values), color=BLUE, label="training")
    steps, values = _series(history, f"validation_{curve.name}")
    if len(steps):
        _draw_validation(plot, steps, values, curve)
    if not curve.best:
        plot.set_ylim(bottom=0)
    plot.set_xlabel("step")
    plot.set_xlim(left=0)
    plot.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    plot.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    plot.yaxis.set_major_locator(MaxNLocator(6))
    plot.yaxis.set_major_formatter(StrMethodFormatter(curve.format))
    return figure


def _draw_validation(plot: Axes, steps: np.ndarray, values: np.ndarray, curve: _Curve) -> None:
    """The validations, a legend, and a ring around the best with its value."""
    plot.plot(steps, values, color=ORANGE, marker="o", markersize=4, label="validation")
    plot.legend(**_LEGEND)
    if not curve.best:
        return
    best = values.tolist().index(curve.best(values.tolist()))
    plot.plot(steps[best], values[best], "o", **_RING)
    plot.annotate(
        curve.format.format(x=values[best]),
        (steps[best], values[best]),
        (0, 11),
        **_RING_TEXT,
    )


def _series(history: _History, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of a figure, float64, from the lines of the history that have it."""
    rows = [(line["step"], line[name]) for line in history if name in line]
    steps, values = np.array(rows, np.float64).reshape(-1, 2).T
    return steps, values


def _thin(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means over stretches of equal length, at most `_POINTS` of them."""
    if len(steps) <= _POINTS:
        return steps, values
    parts = np.array_split(np.arange(len(steps)), _POINTS)
    return np.array([steps[part].mean() for part in parts]), np.array([values[part].mean() for part in parts])


def _smooth(values: np.ndarray) -> np.ndarray:
    """The mean of each value and its neighbours, `len(values) // _SMOOTHING` on either side; fewer at the ends."""
    position, sums = np.arange(len(values)), np.concatenate([[0.0], np.cumsum(values)])
    reach = len(values) // _SMOOTHING
    starts, ends = np.maximum(position - reach, 0), np.minimum(position + reach + 1, len(values))
    return (sums[ends] - sums[starts]) / (ends - starts)
