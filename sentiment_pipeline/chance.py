"""How far chance alone moves an accuracy: standard errors, and the two-proportion z-test."""

from math import sqrt

__all__ = ["difference_error", "is_beyond_chance", "standard_error"]

_QUANTILE = 1.96  # of the normal distribution: chance alone goes beyond it in 5 of 100 cases


def standard_error(accuracy: float | None, reviews: int) -> float | None:
    """The standard error of an accuracy; None where there is none.

    Args:
        accuracy: a fraction of `reviews`.
        reviews: their number.

    >>> round(standard_error(0.92, 25_000), 5)
    0.00172
    """
    return None if accuracy is None or not reviews else sqrt(accuracy * (1 - accuracy) / reviews)


def difference_error(accuracies: tuple[float, float], reviews: tuple[int, int]) -> float:
    """The standard error of the difference of two accuracies that are equal but for chance.

    It pools the two samples as if they were independent. On the same reviews two models mostly err together, and the
    true error is smaller; then a difference that chance could make may still be real.

    >>> round(difference_error((0.92, 0.93), (1_000, 1_000)), 5)
    0.01178
    """
    pooled = (accuracies[0] * reviews[0] + accuracies[1] * reviews[1]) / sum(reviews)
    return sqrt(pooled * (1 - pooled) * (1 / reviews[0] + 1 / reviews[1]))


def is_beyond_chance(difference: float, error: float) -> bool:
    """Whether a difference is larger than chance alone makes it in 95 of 100 cases.

    Args:
        difference: of two accuracies.
        error: its standard error.
    """
    return abs(difference) > _QUANTILE * error
