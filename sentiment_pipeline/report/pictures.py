"""The pictures of a result, as matplotlib figures: what the model predicts, and how long the reviews are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from sentiment_pipeline.formatting import figure as format_figure
from sentiment_pipeline.formatting import percent
from sentiment_pipeline.report.theme import BLUE, INK, LINE, MUTED, ORANGE, axes, in_theme

__all__ = ["CLASSES", "calibration", "confusion", "lengths", "probabilities"]

CLASSES = ("negative", "positive")

_CLASS_COLOURS = (ORANGE, BLUE)
_BINS = 10  # of the calibration
_WIDTH, _HEIGHT = 0.97, 0.95  # of a cell of the confusion matrix, which leaves a gap


@in_theme
def confusion(matrix: Sequence[Sequence[int]]) -> Figure:
    """Reviews by true class (rows) and predicted class (columns), negative first, with fractions of the row."""
    figure, plot = axes()
    for row, counts in enumerate(matrix):
        for column, count in enumerate(counts):
            _draw_cell(plot, row, column, count, count / max(1, sum(counts)))
    plot.set(xlim=(0, 1 + _WIDTH), ylim=(1 + _HEIGHT, 0))
    plot.set_xticks([_WIDTH / 2, 1 + _WIDTH / 2], [f"predicted {name}" for name in CLASSES])
    plot.set_yticks([_HEIGHT / 2, 1 + _HEIGHT / 2], [f"truly\n{name}" for name in CLASSES])
    plot.xaxis.tick_top()
    plot.tick_params(length=0, labelsize=10)
    plot.grid(False)
    plot.spines[:].set_visible(False)
    return figure


def _draw_cell(plot: Axes, row: int, column: int, count: int, fraction: float) -> None:
    """A cell of the confusion matrix, the darker the larger its fraction of the row."""
    right, bottom, middle = column + _WIDTH, row + _HEIGHT, column + _WIDTH / 2
    corners = [column, right, right, column], [row, row, bottom, bottom]
    plot.fill(*corners, color=_CLASS_COLOURS[column], alpha=0.10 + 0.55 * fraction, linewidth=0)
    centred: dict[str, Any] = dict(ha="center", va="center")
    weight = "bold" if row == column else "normal"
    plot.text(middle, row + 0.40, format_figure(count), fontsize=17, fontweight=weight, **centred)
    plot.text(middle, row + 0.68, f"{percent(fraction)} of the {CLASSES[row]}", fontsize=9, **centred)


@in_theme
def lengths(tokens: Mapping[str, np.ndarray], cut: int = 0) -> Figure:
    """The distribution of review lengths in tokens, a line a split, and where the model cuts reviews off.

    Args:
        tokens: for each split, the number of tokens of each review, int [reviews].
        cut: the most tokens that the model reads; 0 marks nothing.
    """
    figure, plot = axes()
    longest = max((np.quantile(each, 0.995) for each in tokens.values() if len(each)), default=1)
    edges = np.unique(np.linspace(0, max(longest, 10), 41).round())
    for (split, each), colour, alpha in zip(tokens.items(), (BLUE, MUTED, ORANGE), (0.18, 0, 0), strict=False):
        counts, _ = np.histogram(each, edges)
        fractions = counts / max(1, len(each)) / np.diff(edges)
        plot.stairs(fractions, edges, color=colour, alpha=alpha, fill=True, linewidth=0)
        plot.stairs(fractions, edges, color=colour, linewidth=1.4, label=split)
    if 0 < cut < edges[-1]:
        plot.axvline(cut, color=INK, linewidth=1)
        top: dict[str, Any] = dict(xycoords=("data", "axes fraction"), textcoords="offset points", va="top")
        plot.annotate(f"cut at {format_figure(cut)}", (cut, 0.96), (4, 0), fontsize=9, **top)
    plot.legend(loc="upper right", frameon=False, fontsize=9, labelcolor=MUTED)
    plot.set(xlabel="tokens of a review", ylabel="fraction of reviews per token", xlim=(0, edges[-1]))
    plot.yaxis.set_major_formatter(StrMethodFormatter("{x:.1%}"))
    return figure


@in_theme
def probabilities(probability: np.ndarray, label: np.ndarray) -> Figure:
    """How many reviews of either class got which probability of being positive, on a logarithmic scale.

    Args:
        probability: float [reviews].
        label: the true class, int [reviews], 0 negative, 1 positive.
    """
    figure, plot = axes()
    edges = np.linspace(0, 1, 41)
    for value, (name, colour) in enumerate(zip(CLASSES, _CLASS_COLOURS, strict=True)):
        counts, _ = np.histogram(probability[label == value], edges)
        plot.stairs(counts, edges, color=colour, linewidth=1.6, label=f"truly {name}")
        plot.stairs(counts, edges, color=colour, fill=True, alpha=0.14, linewidth=0)
    plot.set_yscale("log")
    plot.set_ylim(bottom=0.8)
    plot.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    plot.minorticks_off()
    plot.axvline(0.5, color=LINE, linewidth=1)
    plot.legend(loc="upper center", frameon=False, fontsize=9, labelcolor=MUTED, ncols=2)
    plot.set(xlabel="predicted probability of positive", ylabel="reviews", xlim=(0, 1))
    return figure


@in_theme
def calibration(probability: np.ndarray, label: np.ndarray) -> Figure:
    """The fraction of positive reviews among those of a predicted probability; on the diagonal the two agree.

    The reliability diagram of Guo et al., "On calibration of modern neural networks" (2017), with equal bins. The area
    of a point grows with the number of its reviews.

    Args:
        probability: float [reviews].
        label: the true class, int [reviews], 0 negative, 1 positive.
    """
    figure, plot = axes()
    position = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    count = np.bincount(position, minlength=_BINS)
    filled = count > 0
    predicted = np.bincount(position, probability, _BINS)[filled] / count[filled]
    observed = np.bincount(position, label, _BINS)[filled] / count[filled]
    plot.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    plot.plot(predicted, observed, color=BLUE, linewidth=1.4)
    areas = 18 + 160 * count[filled] / count.max(initial=1)
    plot.scatter(predicted, observed, areas, color=BLUE, alpha=0.85, linewidth=0)
    plot.set(
        xlabel="predicted probability of positive", ylabel="fraction positive", xlim=(-0.03, 1.03), ylim=(-0.05, 1.05)
    )
    for axis in (plot.xaxis, plot.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:.0%}"))
    return figure
