"""The loader: reviews per second, padding, memory, opening and resuming.

python -m benchmarks.loader [--reviews 1000000]
"""

import argparse
import re
import time
from itertools import islice
from pathlib import Path

from benchmarks.training_data import VOCABULARY, read_preset, temporary_reviews
from sentiment_pipeline.data.loader import Loader
from sentiment_pipeline.data.packed import PackedReviews, open_packed
from sentiment_pipeline.data.truncation import Truncation

_BATCH_SIZE = 400


def _anonymous_memory() -> int:
    """This process's memory in bytes, without pages of files."""
    return 1024 * int(re.findall(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())[0])


def _make_loader(reviews: PackedReviews, truncation: Truncation) -> Loader:
    return Loader(reviews, truncation, _BATCH_SIZE, seed=0, epochs=2, workers=0, pin=False)


def _measure_epoch(reviews: PackedReviews, truncation: Truncation) -> str:
    """Load all batches of one epoch."""
    loader, size, tokens = _make_loader(reviews, truncation), 0, 0
    started = time.perf_counter()
    for batch in islice(loader, loader.order.batches):
        size, tokens = size + batch.time * batch.reviews, tokens + batch.tokens
    seconds = time.perf_counter() - started
    return (
        f"{len(reviews) / seconds:,.0f} reviews/s, {tokens / seconds:,.0f} tokens/s, "
        f"{1 - tokens / size:.1%} of the batches are padding"
    )


def _measure_resuming(reviews: PackedReviews, truncation: Truncation) -> str:
    """Load one batch from the middle of an epoch."""
    loader = _make_loader(reviews, truncation)
    loader.load_state_dict({"epoch": 1, "batch": loader.order.batches // 2})
    started = time.perf_counter()
    next(iter(loader))
    return f"{time.perf_counter() - started:.3f} s to the next batch"


def _measure(count: int) -> None:
    """Print the figures for a number of reviews."""
    right, left = Truncation(400, 300, "right"), read_preset("tutorial")[0].lstm_truncation
    with temporary_reviews(count) as packed:
        before = _anonymous_memory()
        started = time.perf_counter()
        reviews = open_packed(packed / "train", VOCABULARY)
        print(f"{count:,} reviews of {len(reviews.ids) / count:.0f} tokens")
        print(f"  opened and checked in {time.perf_counter() - started:.3f} s")
        print(f"  right padding: {_measure_epoch(reviews, right)}")
        print(f"  left padding:  {_measure_epoch(reviews, left)}")
        print(f"  resumed:       {_measure_resuming(reviews, right)}")
        print(f"  anonymous memory grew by {(_anonymous_memory() - before) / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=1_000_000, help="random reviews; a tenth is measured, too")
    count = parser.parse_args().reviews
    for reviews in (count // 10, count):
        _measure(reviews)


if __name__ == "__main__":
    main()
