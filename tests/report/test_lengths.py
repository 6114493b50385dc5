import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sentiment_pipeline.report.lengths import length_summary


def test_lengths_are_summarized_in_whole_tokens() -> None:
    assert length_summary(np.arange(1, 1001, dtype=np.int32)) == {
        "reviews": 1000,
        "tokens": 500_500,
        "mean": 500.5,
        "median": 500,
        "95%": 950,
        "99%": 990,
        "longest": 1000,
    }


def test_without_reviews_there_is_no_length() -> None:
    summary = length_summary(np.zeros(0, np.int32))
    assert summary == {"reviews": 0, "tokens": 0, **dict.fromkeys(("mean", "median", "95%", "99%", "longest"))}
    assert list(summary) == list(length_summary(np.ones(1, np.int32)))


@given(arrays.arrays(np.int32, st.integers(1, 50), elements=st.integers(0, 2**31 - 1)))
def test_quantiles_are_in_order_and_sums_do_not_overflow(tokens: np.ndarray) -> None:
    summary = length_summary(tokens)
    assert summary["tokens"] == sum(tokens.tolist())
    assert summary["mean"] == pytest.approx(np.mean(tokens.tolist()), abs=0.051)
    ordered = [summary[name] or 0 for name in ("median", "95%", "99%", "longest")]
    assert ordered == sorted(ordered)
    assert min(tokens) <= ordered[0]
    assert ordered[-1] == max(tokens)
