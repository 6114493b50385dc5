import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_pipeline.report.curves import _POINTS, _SMOOTHING, _series, _smooth, _thin, curves
from tests.report.test_pictures import texts

HISTORY = [
    {"step": 10, "loss": 0.7, "accuracy": 0.5},
    {"step": 20, "loss": 0.5, "accuracy": 0.7},
    {"step": 20, "validation_loss": 0.42, "validation_accuracy": 0.8},
    {"step": 30, "loss": 0.3, "accuracy": 0.9},
    {"step": 30, "validation_loss": 0.45, "validation_accuracy": 0.79},
]


def test_there_is_a_curve_for_each_figure_of_the_history() -> None:
    assert [title for title, _, _ in curves(HISTORY)] == ["Loss", "Accuracy"]
    line = {"step": 1, "reviews_per_s": 800.0, "gradient_norm": 1.5, "learning_rate": 0.1}
    assert [(title, note) for title, note, _ in curves([line])] == [
        ("Throughput", "reviews a second"),
        ("Gradient norm", "before clipping"),
    ]
    assert list(curves([])) == []


@pytest.mark.parametrize(("title", "best"), [("Loss", "0.42"), ("Accuracy", "80.0%")])
def test_a_curve_shows_training_and_validation_and_marks_the_best(title: str, best: str) -> None:
    read = texts(next(picture for name, _, picture in curves(HISTORY) if name == title))
    assert {"training", "validation", "step", best} <= set(read)


def test_a_curve_without_validation_has_no_legend() -> None:
    ((_, _, picture),) = curves([{"step": 1, "loss": 0.5}])
    assert "validation" not in texts(picture)


def test_a_series_skips_lines_without_the_figure() -> None:
    steps, values = _series(HISTORY, "validation_loss")
    assert (steps.tolist(), values.tolist()) == ([20, 30], [0.42, 0.45])
    assert len(_series(HISTORY, "nothing")[0]) == 0


@given(st.integers(1, 3000))
def test_long_curves_are_thinned_and_no_value_is_dropped(size: int) -> None:
    values = np.arange(size, dtype=float)
    steps, thin = _thin(values + 7, values)
    assert len(thin) == min(size, _POINTS)
    assert steps == pytest.approx(thin + 7)
    assert np.all(np.diff(thin) <= 1 + size / _POINTS)
    assert thin[0] + thin[-1] == pytest.approx(size - 1, abs=1)


@given(st.lists(st.floats(0, 10), max_size=200))
def test_smoothing_is_the_mean_of_the_neighbours(values: list[float]) -> None:
    reach = len(values) // _SMOOTHING
    expected = [np.mean(values[max(0, i - reach) : i + reach + 1]) for i in range(len(values))]
    assert _smooth(np.array(values)) == pytest.approx(expected, abs=1e-9)
