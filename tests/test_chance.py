from math import sqrt

import numpy as np
import pytest

from sentiment_pipeline.chance import difference_error, is_beyond_chance, standard_error


def test_the_standard_error_is_that_of_repeated_samples() -> None:
    drawn = np.random.default_rng(0).binomial(400, 0.9, 100_000) / 400
    assert standard_error(0.9, 400) == pytest.approx(drawn.std(), rel=0.02)
    assert standard_error(None, 0) is None
    assert standard_error(1.0, 10) == 0


def test_equal_models_differ_by_more_than_chance_in_one_of_twenty_cases() -> None:
    random = np.random.default_rng(0)
    pairs = random.binomial(500, 0.8, (2, 4_000)) / 500
    found = [is_beyond_chance(b - a, difference_error((a, b), (500, 500))) for a, b in pairs.T.tolist()]
    assert sum(found) / len(found) == pytest.approx(0.05, abs=0.015)


def test_two_samples_are_pooled() -> None:
    assert difference_error((0.8, 0.9), (100, 300)) == pytest.approx(sqrt(0.875 * 0.125 * (1 / 100 + 1 / 300)))
