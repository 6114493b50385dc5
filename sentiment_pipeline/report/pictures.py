"""The pictures of a run, as matplotlib figures: how training went, what the model gets wrong, how long reviews are.

A figure is made without pyplot, so nothing global is kept and any thread may draw. Curves are thinned and long tails
cut before drawing, so that a picture stays small however much data is behind it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from sentiment_pipeline.report.theme import BLUE, INK, LINE, MATPLOTLIB, MUTED, ORANGE, SURFACE

History = Sequence[Mapping[str, float]]

POINTS = 400  # of a curve, at most
SMOOTHED = 40  # a curve is smoothed over one in so many of its points before and after each
BINS = 10  # of the calibration
CLASSES = ("negative", "positive")
CLASS_COLOURS = (ORANGE, BLUE)


def in_theme(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Draw under the project's matplotlib settings."""

    @wraps(draw)
    def drawn(*args: object, **options: object) -> Figure:
        with matplotlib.rc_context(MATPLOTLIB):
            return draw(*args, **options)

    return drawn


def axes(width: float = 5.6, height: float = 3.0) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


@in_theme
def curve(
    history: History, name: str, better: Callable[[Sequence[float]], float] | None = None, form: str = "{x:,.3g}"
) -> Figure:
    """The figure `name` of the training batches over the steps, and `validation_<name>`, if it is there.

    Args:
        history: mappings with `step` and any figures.
        better: `min` or `max`, to mark the best validation; without it the axis begins at zero.
        form: how values are written, with `x` for the value.
    """
    figure, plot = axes()
    steps, values = thinned(*series(history, name))
    plot.plot(steps, values, color=BLUE, linewidth=1, alpha=0.35)
    plot.plot(steps, smoothed(values), color=BLUE, label="training")
    steps, values = series(history, f"validation_{name}")
    if len(steps):
        plot.plot(steps, values, color=ORANGE, marker="o", markersize=4, label="validation")
        plot.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=2,
            frameon=False,
            fontsize=9,
            labelcolor=MUTED,
            handlelength=1.4,
            borderpad=0,
        )
    if better and len(steps):
        mark(plot, *best(steps, values, better), form)
    if not better:
        plot.set_ylim(bottom=0)
    plot.set_xlabel("step")
    plot.set_xlim(left=0)
    plot.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    plot.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    plot.yaxis.set_major_locator(MaxNLocator(6))
    plot.yaxis.set_major_formatter(StrMethodFormatter(form))
    return figure


def series(history: History, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of a figure where the history has it; float64."""
    rows = [(each["step"], each[name]) for each in history if name in each]
    steps, values = np.array(rows, np.float64).reshape(-1, 2).T
    return steps, values


def thinned(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means over stretches of equal length, at most `POINTS` of them."""
    if len(steps) <= POINTS:
        return steps, values
    parts = np.array_split(np.arange(len(steps)), POINTS)
    return np.array([steps[part].mean() for part in parts]), np.array([values[part].mean() for part in parts])


def smoothed(values: np.ndarray) -> np.ndarray:
    """The mean over each value and its neighbours, one in `SMOOTHED` of all on either side, as far as there are any."""
    place, sums = np.arange(len(values)), np.concatenate([[0.0], np.cumsum(values)])
    reach = len(values) // SMOOTHED
    starts, ends = np.maximum(place - reach, 0), np.minimum(place + reach + 1, len(values))
    return (sums[ends] - sums[starts]) / (ends - starts)


def best(steps: np.ndarray, values: np.ndarray, better: Callable[[Sequence[float]], float]) -> tuple[float, float]:
    place = values.tolist().index(better(values.tolist()))
    return steps[place], values[place]


def mark(plot: Axes, step: float, value: float, form: str) -> None:
    """A ring around the best validation, with its value."""
    plot.plot(step, value, "o", markersize=9, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.3)
    plot.annotate(
        form.format(x=value),
        (step, value),
        (0, 11),
        textcoords="offset points",
        ha="center",
        fontsize=9.5,
        fontweight="bold",
        bbox=dict(facecolor=SURFACE, edgecolor="none", alpha=0.8, pad=1.5),
    )


@in_theme
def confusion(matrix: Sequence[Sequence[int]]) -> Figure:
    """Reviews by true class (rows) and predicted class (columns), negative first, with shares of the row."""
    figure, plot = axes(5.6, 3.0)
    for row, counts in enumerate(matrix):
        for column, count in enumerate(counts):
            share = count / max(1, sum(counts))
            colour = CLASS_COLOURS[column]
            plot.fill(
                [column, column + 0.97, column + 0.97, column],
                [row, row, row + 0.95, row + 0.95],
                color=colour,
                alpha=0.10 + 0.55 * share,
                linewidth=0,
            )
            plot.text(
                column + 0.485,
                row + 0.40,
                f"{count:,}",
                ha="center",
                va="center",
                fontsize=17,
                fontweight="bold" if row == column else "normal",
            )
            plot.text(
                column + 0.485, row + 0.68, f"{share:.1%} of the {CLASSES[row]}", ha="center", va="center", fontsize=9
            )
    plot.set(xlim=(0, 1.97), ylim=(1.95, 0))
    plot.set_xticks([0.485, 1.485], [f"predicted {name}" for name in CLASSES])
    plot.set_yticks([0.475, 1.475], [f"truly\n{name}" for name in CLASSES])
    plot.xaxis.tick_top()
    plot.tick_params(length=0, labelsize=10)
    plot.grid(False)
    plot.spines[:].set_visible(False)
    return figure


@in_theme
def lengths(tokens: Mapping[str, np.ndarray], cut: int = 0) -> Figure:
    """The distribution of review lengths in tokens, a line a split, and where the model cuts reviews off.

    Args:
        tokens: for each split, the number of tokens of each review.
        cut: the most tokens that the model reads; 0 marks nothing.
    """
    figure, plot = axes()
    longest = max((np.quantile(each, 0.995) for each in tokens.values() if len(each)), default=1)
    edges = np.unique(np.linspace(0, max(longest, 10), 41).round())
    for (name, each), colour, fill in zip(tokens.items(), (BLUE, MUTED, ORANGE), (0.18, 0, 0), strict=False):
        counts, _ = np.histogram(each, edges)
        shares = counts / max(1, len(each)) / np.diff(edges)
        plot.stairs(shares, edges, color=colour, alpha=fill, fill=True, linewidth=0)
        plot.stairs(shares, edges, color=colour, linewidth=1.4, label=name)
    if 0 < cut < edges[-1]:
        plot.axvline(cut, color=INK, linewidth=1)
        plot.annotate(
            f"cut at {cut:,}",
            (cut, 0.96),
            (4, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=9,
            va="top",
        )
    plot.legend(loc="upper right", frameon=False, fontsize=9, labelcolor=MUTED)
    plot.set_xlabel("tokens of a review")
    plot.set_xlim(0, edges[-1])
    plot.yaxis.set_major_formatter(StrMethodFormatter("{x:.1%}"))
    plot.set_ylabel("share of reviews a token")
    return figure


@in_theme
def probabilities(probability: np.ndarray, label: np.ndarray) -> Figure:
    """How many reviews of either class got which probability of being positive, on a logarithmic scale."""
    figure, plot = axes()
    edges = np.linspace(0, 1, 41)
    for value, (name, colour) in enumerate(zip(CLASSES, CLASS_COLOURS, strict=True)):
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
    """What share of the reviews with a predicted probability is really positive; on the diagonal it is to be trusted.

    The reliability diagram of Guo et al., "On calibration of modern neural networks" (2017), with equal bins. The area
    of a point grows with the number of its reviews.
    """
    figure, plot = axes()
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    some = count > 0
    predicted = np.bincount(place, probability, BINS)[some] / count[some]
    observed = np.bincount(place, label, BINS)[some] / count[some]
    plot.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    plot.plot(predicted, observed, color=BLUE, linewidth=1.4)
    areas = 18 + 160 * count[some] / count.max(initial=1)
    plot.scatter(predicted, observed, areas, color=BLUE, alpha=0.85, linewidth=0)
    plot.set(
        xlabel="predicted probability of positive",
        ylabel="share really positive",
        xlim=(-0.03, 1.03),
        ylim=(-0.05, 1.05),
    )
    for axis in (plot.xaxis, plot.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:.0%}"))
    return figure
