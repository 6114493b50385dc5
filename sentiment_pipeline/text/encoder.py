"""New texts to token ids, exactly as the training text: same cleaning, same tokens, same vocabulary."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from sentiment_pipeline.text.chunks import split_chunks
from sentiment_pipeline.text.cleaning import clean, clean_all
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.ragged import concat_ranges, offsets_of
from sentiment_pipeline.text.tables import to_numpy, vocabulary_tokens
from sentiment_pipeline.text.tokenizer import word_tokenizer
from sentiment_pipeline.text.word_shapes import tokenize_chunks

__all__ = ["Encoded", "TextEncoder"]

_FEW = 2000  # characters of texts up to which NLTK itself is faster


@dataclass(frozen=True)
class Encoded:
    """The token ids of texts.

    Attributes:
        ids: the ids of all texts, one text after another; int32, [tokens].
        offsets: where the ids of each text begin, and the end of the last one; int64, [texts + 1].
    """

    ids: np.ndarray
    offsets: np.ndarray


class TextEncoder:
    """Encodes batches of texts; between them it keeps nothing but the vocabulary.

    Args:
        vocabulary: a `vocabulary.parquet`.
        cleaning: the settings with which the vocabulary was made.
        unknown_id: the id of tokens that are not in the vocabulary.

    Attributes:
        vocabulary: the token of each id; string array, [ids].
        cleaning: the settings with which texts are cleaned.
    """

    def __init__(self, vocabulary: Path, cleaning: CleaningConfig, unknown_id: int) -> None:
        self.vocabulary: pa.StringArray = vocabulary_tokens(vocabulary)
        self.cleaning = cleaning
        self._unknown_id = unknown_id
        # Arrow's `index_in` would hash the whole vocabulary anew in each call, which is half the time of a short text.
        self._ids = {token: number for number, token in enumerate(self.vocabulary.to_pylist())}

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode texts, less than 2 GiB together; a line feed counts as a space."""
        texts = [text.replace("\n", " ") for text in texts]
        return self._encode_few(texts) if sum(map(len, texts)) < _FEW else self._encode_many(texts)

    def _encode_few(self, texts: Sequence[str]) -> Encoded:
        """Encode texts one by one with NLTK itself: the same ids, without the fixed cost of operations on arrays."""
        tokenize, ids, offsets = word_tokenizer(), list[int](), [0]
        for text in texts:
            ids += [self._ids.get(token, self._unknown_id) for token in tokenize(clean(text, self.cleaning))]
            offsets.append(len(ids))
        return Encoded(np.array(ids, np.int32), np.array(offsets, np.int64))

    def _encode_many(self, texts: Sequence[str]) -> Encoded:
        lines = pa.array([text.encode() for text in texts], pa.binary())
        chunks = split_chunks(clean_all(lines, self.cleaning))
        tokens = tokenize_chunks(chunks.codes.dictionary)
        distinct = tokens.codes.dictionary.to_pylist()
        ids = np.array([self._ids.get(token, self._unknown_id) for token in distinct], np.int32)
        chunk, starts = to_numpy(chunks.codes.indices), offsets_of(tokens.counts)
        lengths = tokens.counts[chunk]
        token = to_numpy(tokens.codes.indices)[concat_ranges(starts[chunk], lengths)]
        return Encoded(ids[token], offsets_of(lengths)[offsets_of(chunks.counts)])
