"""Where each token stands in the text as it was given, before cleaning.

Cleaning makes text shorter and longer: an address becomes `<url>`, a line break a space, and some letters have two in
lower case. So each replacement is done again here, and every character keeps the slice of the text it came from.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from sentiment_pipeline.text.chunks import split_chunks
from sentiment_pipeline.text.cleaning import ADDRESS, BREAK, DIGIT, holds_address
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.word_shapes import tokenize_chunks

__all__ = ["align_cleaning", "token_spans"]

_ADDRESS = re.compile(ADDRESS.pattern.decode())


def token_spans(text: str, config: CleaningConfig) -> np.ndarray:
    """The slice of `text` that each of its tokens comes from; the tokens are those of `TextEncoder`, in order.

    Returns:
        Start and end, in characters; int64, [tokens, 2]. The tokens of one address all have its slice.

    >>> text = "It ISN'T 10/10<br />see www.example.com"
    >>> [text[start:end] for start, end in token_spans(text, CleaningConfig(html_breaks=True))]
    ['It', 'IS', "N'T", '10/10', 'see', 'www.example.com', 'www.example.com', 'www.example.com']
    """
    cleaned, spans = align_cleaning(text, config)
    chunks = split_chunks(pa.array([cleaned])).codes.dictionary_decode()
    tokens = tokenize_chunks(chunks).codes.to_pylist()
    found = [(spans[start, 0], spans[end - 1, 1]) for start, end in _find_tokens(tokens, cleaned)]
    return np.array(found, np.int64).reshape(-1, 2)


def align_cleaning(text: str, config: CleaningConfig) -> tuple[str, np.ndarray]:
    """The text as `clean` cleans it, and the slice of `text` that each of its characters comes from.

    Returns:
        The cleaned text, and starts and ends; int64, [characters, 2].
    """
    starts = np.repeat(np.arange(len(text)), [len(letter.lower()) for letter in text])
    spans = np.stack([starts, starts + 1], axis=1)
    cleaned = DIGIT.sub("0", text.replace("\n", " ").lower())
    if config.html_breaks:
        cleaned, spans = _replace(BREAK, " ", cleaned, spans)
    if holds_address(cleaned.encode()):
        cleaned, spans = _replace(_ADDRESS, "<url>", cleaned, spans)
    return cleaned, spans


def _replace(pattern: re.Pattern[str], new: str, text: str, spans: np.ndarray) -> tuple[str, np.ndarray]:
    """Replace each match; the characters of its replacement all have the match's slice."""
    pieces, kept, position = list[str](), list[np.ndarray](), 0
    for match in pattern.finditer(text):
        start, end = match.span()
        pieces += [text[position:start], new]
        kept += [spans[position:start], np.tile([spans[start, 0], spans[end - 1, 1]], (len(new), 1))]
        position = end
    return "".join([*pieces, text[position:]]), np.concatenate([*kept, spans[position:]])


def _find_tokens(tokens: Sequence[str], text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each token in the cleaned text, whose tokens are all of it but the white space."""
    position = 0
    for token in tokens:
        while text[position].isspace():
            position += 1
        length = len(token)
        if not text.startswith(token, position):  # NLTK writes double quotes as `` and ''
            length = 1 if text[position] == '"' else 2
        yield position, position + length
        position += length
