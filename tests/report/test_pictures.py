from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from sentiment_pipeline.report import pictures
from sentiment_pipeline.report.theme import svg

HISTORY = [
    {"step": 10, "loss": 0.7, "accuracy": 0.5},
    {"step": 20, "loss": 0.5, "accuracy": 0.7},
    {"step": 20, "validation_loss": 0.42, "validation_accuracy": 0.8},
    {"step": 30, "loss": 0.3, "accuracy": 0.9},
    {"step": 30, "validation_loss": 0.45, "validation_accuracy": 0.79},
]


def texts(figure: Figure) -> list[str]:
    """What can be read in a picture."""
    root = ElementTree.fromstring(svg(figure, ""))
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(("name", "better", "best"), [("loss", min, "0.42"), ("accuracy", max, "0.8")])
def test_a_curve_shows_training_and_validation_and_marks_the_best(name: str, better: object, best: str) -> None:
    read = texts(pictures.curve(HISTORY, name, better))
    assert {"training", "validation", "step", best} <= set(read)


def test_a_curve_without_validation_has_no_legend() -> None:
    assert "validation" not in texts(pictures.curve([{"step": 1, "loss": 0.5}], "loss", min))


def test_series_skips_lines_that_tell_of_other_things() -> None:
    steps, values = pictures.series(HISTORY, "validation_loss")
    assert (steps.tolist(), values.tolist()) == ([20, 30], [0.42, 0.45])
    assert len(pictures.series(HISTORY, "nothing")[0]) == 0


@given(st.integers(1, 3000))
def test_long_curves_are_thinned_and_no_value_is_dropped(size: int) -> None:
    values = np.arange(size, dtype=float)
    steps, thin = pictures.thinned(values + 7, values)
    assert len(thin) == min(size, pictures.POINTS)
    assert steps == pytest.approx(thin + 7)
    assert np.all(np.diff(thin) <= 1 + size / pictures.POINTS)
    assert thin[0] + thin[-1] == pytest.approx(size - 1, abs=1)


@given(st.lists(st.floats(0, 10), max_size=200))
def test_smoothing_is_the_mean_of_the_neighbours(values: list[float]) -> None:
    reach = len(values) // 40
    expected = [np.mean(values[max(0, i - reach) : i + reach + 1]) for i in range(len(values))]
    assert pictures.smoothed(np.array(values)) == pytest.approx(expected, abs=1e-9)


def test_the_confusion_matrix_shows_counts_and_shares() -> None:
    read = texts(pictures.confusion([[1132, 68], [71, 1229]]))
    assert {"1,132", "68", "71", "1,229", "94.3% of the negative", "5.5% of the positive"} <= set(read)
    assert "0" in texts(pictures.confusion([[0, 0], [0, 5]]))


def test_lengths_show_each_split_and_the_cut() -> None:
    tokens = np.arange(1, 501)
    read = texts(pictures.lengths({"train": tokens, "validation": np.zeros(0, int), "test": tokens}, cut=200))
    assert {"train", "validation", "test", "cut at 200"} <= set(read)
    assert not any("cut" in text for text in texts(pictures.lengths({"train": tokens}, cut=9999)))


def test_probabilities_may_be_of_one_class_only() -> None:
    probability = np.array([0.0, 0.2, 1.0], np.float32)
    for label in (np.zeros(3, np.int8), np.ones(3, np.int8)):
        assert "truly negative" in texts(pictures.probabilities(probability, label))
        assert "share really positive" in texts(pictures.calibration(probability, label))


def test_drawing_leaves_the_settings_of_matplotlib_alone() -> None:
    before = dict(matplotlib.rcParams)
    svg(pictures.confusion([[1, 2], [3, 4]]), "")
    assert dict(matplotlib.rcParams) == before
