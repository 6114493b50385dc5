"""The loader by itself: reviews a second, padding, memory, opening and resuming.

python -m benchmarks.loader [--reviews 1000000]
"""

import argparse
import re
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

from benchmarks.training_data import VOCABULARY, packed, preset
from sentiment_pipeline.data.batches import Loader
from sentiment_pipeline.data.packed import PackedReviews, open_packed
from sentiment_pipeline.models.config import ModelConfig

BATCH = 400


def anonymous() -> int:
    """Bytes of this process's memory that are not pages of a file."""
    return 1024 * int(re.findall(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())[0])


def make(reviews: PackedReviews, model: ModelConfig) -> Loader:
    return Loader(reviews, model, BATCH, seed=0, epochs=2, workers=0, pin=False)


def speed(reviews: PackedReviews, model: ModelConfig) -> str:
    """One epoch, cut and thrown away."""
    loader, places, tokens = make(reviews, model), 0, 0
    started = time.perf_counter()
    for batch in islice(loader, loader.order.batches):
        places, tokens = places + batch.time * batch.reviews, tokens + batch.tokens
    seconds = time.perf_counter() - started
    return (
        f"{len(reviews) / seconds:,.0f} reviews/s, {tokens / seconds:,.0f} tokens/s, "
        f"{1 - tokens / places:.1%} of the places are padding"
    )


def resume(reviews: PackedReviews, model: ModelConfig) -> str:
    """The time to the first batch, from the middle of an epoch."""
    loader = make(reviews, model)
    loader.load_state_dict({"epoch": 1, "batch": loader.order.batches // 2})
    started = time.perf_counter()
    next(iter(loader))
    return f"{time.perf_counter() - started:.3f} s to the next batch"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=1_000_000)
    count = parser.parse_args().reviews
    right = replace(preset("quick")[0], length=400)
    for reviews in (count // 10, count):
        with packed(reviews) as folder:
            before = anonymous()
            started = time.perf_counter()
            opened = open_packed(folder / "train", VOCABULARY)
            print(f"{reviews:,} reviews of {len(opened.ids) / reviews:.0f} tokens")
            print(f"  opened and checked in {time.perf_counter() - started:.3f} s")
            print(f"  right padding: {speed(opened, right)}")
            print(f"  left padding:  {speed(opened, preset('seed')[0])}")
            print(f"  resumed:       {resume(opened, right)}")
            print(f"  anonymous memory grew by {(anonymous() - before) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
