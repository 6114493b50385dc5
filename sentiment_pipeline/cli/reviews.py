"""Files of reviews to begin with: `sample`, `download`."""

import sys
from typing import Annotated

import typer

from sentiment_pipeline.console import progress_shown
from sentiment_pipeline.paths import user_path

__all__ = ["download", "sample"]


def sample(
    folder: Annotated[str, typer.Argument(metavar="DIR")],
    reviews: Annotated[int, typer.Option(min=10, max=1 << 40, help="Reviews in both files together.")] = 25_000,
    seed: Annotated[int, typer.Option(min=0, max=(1 << 63) - 1, help="The same seed gives the same files.")] = 0,
) -> None:
    """Write synthetic reviews in the real format: nine tenths to train.ft.txt.bz2, the rest to test.ft.txt.bz2.

    Example: sentiment-pipeline sample reviews --reviews 25000
    """
    from sentiment_pipeline.sample import write_sample

    with progress_shown() as observer:
        write_sample(user_path(folder), reviews, seed, lambda figures: observer.progressed("sample", dict(figures)))


def download(folder: Annotated[str, typer.Argument(metavar="DIR")]) -> None:
    """Download the real files from Kaggle.

    Example: sentiment-pipeline download reviews
    """
    from sentiment_pipeline.download import download as download_files

    for path in download_files(user_path(folder)):
        size = path.stat().st_size / 1e6
        print(f"kept {path}, which exists already ({size:,.1f} MB); delete it to download it again", file=sys.stderr)
