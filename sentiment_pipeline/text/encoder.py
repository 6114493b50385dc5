"""New texts to token ids, exactly as the training text was: same cleaning, same tokens, same vocabulary."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sentiment_pipeline.text.chunks import split_chunks
from sentiment_pipeline.text.cleaning import clean_all
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.ragged import bounds, ranges
from sentiment_pipeline.text.tables import contiguous, numpy
from sentiment_pipeline.text.word_shapes import tokenize_chunks

__all__ = ["Encoded", "TextEncoder"]


@dataclass(frozen=True)
class Encoded:
    """The token ids of texts.

    Attributes:
        ids: int32, those of all texts one after the other.
        offsets: int64, shape (texts + 1,): where each text's begin, and where the last one's end.
    """

    ids: np.ndarray
    offsets: np.ndarray


class TextEncoder:
    """Encodes batches of texts; what it holds between them is the vocabulary alone.

    Args:
        vocabulary: a `vocabulary.parquet`.
        cleaning: as it was when the vocabulary was made.
        unknown_id: the id of tokens that are not in it.
    """

    def __init__(self, vocabulary: Path, cleaning: CleaningConfig, unknown_id: int) -> None:
        self.vocabulary = contiguous(pq.read_table(vocabulary, columns=["token"])["token"])
        self.cleaning = cleaning
        self.unknown_id = unknown_id

    def encode(self, texts: Sequence[str]) -> Encoded:
        """The token ids of each text; a line feed counts as a space. The texts are less than 2 GiB together."""
        lines = pa.array([text.replace("\n", " ").encode() for text in texts], pa.binary())
        chunks = split_chunks(clean_all(lines, self.cleaning))
        tokens = tokenize_chunks(chunks.codes.dictionary)
        ids = pc.fill_null(pc.index_in(tokens.codes.dictionary, self.vocabulary), self.unknown_id)
        chunk, starts = numpy(chunks.codes.indices), bounds(tokens.counts)
        lengths = tokens.counts[chunk]
        token = numpy(tokens.codes.indices)[ranges(starts[chunk], lengths)]
        return Encoded(numpy(ids)[token], bounds(lengths)[bounds(chunks.counts)])
