"""The fastText baseline: trained and scored on the same cleaned reviews, split at everything but letters and digits."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

__all__ = ["fasttext_accuracy"]


def fasttext_accuracy(train: Sequence[Path], test: Sequence[Path], ngrams: int, seed: int = 0) -> float:
    """The test accuracy of fastText with 20 dimensions, 10 epochs and learning rate 0.5.

    Args:
        train: folders of shards to train on.
        test: folders of shards to score.
        ngrams: number of words of the longest n-grams.
        seed: seed of the training.
    """
    import fasttext  # here, because it is optional

    with tempfile.TemporaryDirectory() as scratch:
        train_file, test_file = Path(scratch) / "train", Path(scratch) / "test"
        _write_lines(train_file, train)
        _write_lines(test_file, test)
        model = fasttext.train_supervised(
            str(train_file), dim=20, epoch=10, lr=0.5, wordNgrams=ngrams, thread=1, seed=seed, verbose=0
        )
        return float(model.test(str(test_file))[1])


def _write_lines(path: Path, folders: Sequence[Path]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for folder in folders:
            file.writelines(_lines(folder))


def _lines(folder: Path) -> Iterator[str]:
    """The reviews of a split in fastText's format."""
    reviews = (
        pl.scan_parquet(folder / "part-*.parquet")
        .select("label", pl.col("text").str.replace_all(r"[^\pL\pN]+", " "))
        .collect()
    )
    return (f"__label__{label + 1} {text}\n" for label, text in reviews.iter_rows())
