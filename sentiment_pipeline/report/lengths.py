"""The lengths of reviews in a few figures, for the report and the Prefect UI."""

import numpy as np

__all__ = ["length_summary"]


def length_summary(tokens: np.ndarray) -> dict[str, int | float | None]:
    """How many reviews there are and how long they are, by the names that a table shows.

    Args:
        tokens: the number of tokens of each review, int [reviews].

    Returns:
        The counts `reviews` and `tokens`; `mean`, `median`, `95%` and `99%` (quantiles, whole tokens) and `longest`,
        which are None without reviews.

    >>> length_summary(np.array([1, 2, 6]))
    {'reviews': 3, 'tokens': 9, 'mean': 3.0, 'median': 2, '95%': 6, '99%': 6, 'longest': 6}
    """
    counts = {"reviews": len(tokens), "tokens": int(tokens.sum(dtype=np.int64))}
    if not len(tokens):
        return {**counts, **dict.fromkeys(("mean", "median", "95%", "99%", "longest"))}
    median, most, nearly_all = np.quantile(tokens, (0.5, 0.95, 0.99)).round().astype(int).tolist()
    mean = round(float(tokens.mean()), 1)
    return {**counts, "mean": mean, "median": median, "95%": most, "99%": nearly_all, "longest": int(tokens.max())}
