"""The fastText baseline: trained and scored on the same cleaned reviews, split at everything but letters and digits."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

__all__ = ["fasttext_accuracy", "train_fasttext", "words_alone"]

_OTHERS = r"[^\pL\pN]+"


def fasttext_accuracy(train: Sequence[Path], test: Sequence[Path], ngrams: int, seed: int = 0) -> float:
    """The test accuracy of fastText with 20 dimensions, 10 epochs and learning rate 0.5.

    Args:
        train: folders of shards to train on.
        test: folders of shards to score.
        ngrams: number of words of the longest n-grams.
        seed: seed of the training.
    """
    with tempfile.TemporaryDirectory() as scratch:
        test_file = Path(scratch) / "test"
        _write_lines(test_file, test)
        return float(train_fasttext(train, ngrams, seed).test(str(test_file))[1])


def train_fasttext(train: Sequence[Path], ngrams: int, seed: int = 0) -> Any:
    """A fastText model with 20 dimensions, 10 epochs and learning rate 0.5; arguments as for `fasttext_accuracy`."""
    import fasttext  # here, because it is optional

    with tempfile.TemporaryDirectory() as scratch:
        train_file = Path(scratch) / "train"
        _write_lines(train_file, train)
        return fasttext.train_supervised(
            str(train_file), dim=20, epoch=10, lr=0.5, wordNgrams=ngrams, thread=1, seed=seed, verbose=0
        )


def words_alone(texts: Sequence[str]) -> list[str]:
    """The texts without what is no letter or digit, as the model was trained on."""
    return pl.Series(texts).str.to_lowercase().str.replace_all(_OTHERS, " ").to_list()


def _write_lines(path: Path, folders: Sequence[Path]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for folder in folders:
            file.writelines(_lines(folder))


def _lines(folder: Path) -> Iterator[str]:
    """The reviews of a split in fastText's format."""
    reviews = (
        pl.scan_parquet(folder / "part-*.parquet")
        .select("label", pl.col("text").str.replace_all(_OTHERS, " "))
        .collect()
    )
    return (f"__label__{label + 1} {text}\n" for label, text in reviews.iter_rows())
