from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from sentiment_pipeline.report import pictures
from sentiment_pipeline.report.theme import svg


def texts(figure: Figure) -> list[str]:
    """What can be read in a picture."""
    root = ElementTree.fromstring(svg(figure, ""))
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_confusion_matrix_shows_counts_and_fractions() -> None:
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
        assert "fraction positive" in texts(pictures.calibration(probability, label))


def test_calibration_compares_predicted_with_observed_frequencies() -> None:
    probability = np.repeat([0.05, 0.95, 1.0], [10, 20, 20]).astype(np.float32)
    label = np.concatenate([np.ones(1), np.zeros(9), np.ones(30), np.zeros(10)]).astype(np.int8)
    (plot,) = pictures.calibration(probability, label).axes
    predicted, observed = plot.lines[1].get_data()  # the first line is the diagonal
    assert predicted == pytest.approx([0.05, 0.975])
    assert observed == pytest.approx([0.1, 0.75])
