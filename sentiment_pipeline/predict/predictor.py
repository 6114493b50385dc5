"""A model folder, ready to score texts: the text half and the model half put together."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.hub import local_folder
from sentiment_pipeline.limits import config_from_values
from sentiment_pipeline.models.inference import probabilities
from sentiment_pipeline.models.model_folder import load_model
from sentiment_pipeline.models.precision import choose_device, choose_dtype
from sentiment_pipeline.paths import StrPath
from sentiment_pipeline.predict.explain import Explanation, Word, word_effects
from sentiment_pipeline.predict.reading import open_texts
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.encoder import TextEncoder

__all__ = ["Prediction", "Predictor", "Scored", "label_of"]


class Prediction(NamedTuple):
    """The answer for one text.

    Attributes:
        label: `positive` or `negative`.
        probability: of the positive class.
    """

    label: str
    probability: float


class Scored(NamedTuple):
    """The answers for consecutive texts of a file.

    Attributes:
        probabilities: that each is positive; float32, [texts].
        columns: the other columns of the table that holds the texts, where they are kept.
        words: the words of each text that moved its score most, where they are wanted.
        read: the fraction of the file that was read so far; None where that is not known.
    """

    probabilities: np.ndarray
    columns: pa.RecordBatch | None = None
    words: list[list[Word]] | None = None
    read: float | None = None


class Predictor:
    """A trained model with the words it knows; on the GPU if there is one.

    Args:
        folder: a model folder, as the pipeline publishes it; or `hf://OWNER/NAME`, one on the Hugging Face Hub.

    Raises:
        PipelineError: a file is missing or damaged, or the model was made with other tokens than this machine makes.
    """

    def __init__(self, folder: StrPath) -> None:
        path = local_folder(folder)
        self._model, config = load_model(path)
        device = choose_device("auto")
        self._model.to(device)
        self._dtype = choose_dtype("auto", device)
        self._encoder = _load_encoder(path, config)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The label of each text and the probability that it is positive, in order."""
        return [Prediction(label_of(value), value) for value in self.predict_proba(texts).tolist()]

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """The probability that each text is positive, float32, shape (texts,).

        Raises:
            TypeError: `texts` is one string, not a sequence of them.
        """
        if isinstance(texts, str):
            raise TypeError("predict takes a list of texts; put the one text into a list: predict([text])")
        encoded = self._encoder.encode(texts)
        return probabilities(self._model, encoded.ids, encoded.offsets, self._dtype)

    def predict_each(self, texts: Sequence[str]) -> list[Prediction]:
        """As `predict([text])` for each text, bit for bit, whatever the others are.

        A batch of another shape may round differently, so the model reads each text alone. That is slower.
        """
        encoded = self._encoder.encode(texts)
        bounds = zip(encoded.offsets, encoded.offsets[1:], strict=False)
        reviews = (encoded.ids[start:end] for start, end in bounds)
        scored = (probabilities(self._model, ids, np.array([0, len(ids)]), self._dtype).item() for ids in reviews)
        return [Prediction(label_of(value), value) for value in scored]

    def encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The inputs of an exported model.

        Returns:
            ids: the token ids of each text, 0 after its last; int64, [texts, time], at least one time step.
            lengths: the number of ids of each text; int64, [texts].
        """
        encoded = self._encoder.encode(texts)
        lengths = np.diff(encoded.offsets)
        ids = np.zeros((len(lengths), max(1, lengths.max(initial=0))), np.int64)
        ids[np.arange(ids.shape[1]) < lengths[:, None]] = encoded.ids
        return ids, lengths

    def explain(self, texts: Sequence[str], most: int | None = 10) -> list[Explanation]:
        """The answer for each text, and its words that moved the score most.

        Args:
            texts: the texts.
            most: number of words of a text at most; None: all that have an effect.

        >>> sp.load("data/model").explain(["not bad at all"])[0].words[0]  # doctest: +SKIP
        Word(word='not', effect=2.71, start=0, end=3)
        """
        return [
            Explanation(*answer, self._strongest(text, most))
            for answer, text in zip(self.predict(texts), texts, strict=True)
        ]

    def _strongest(self, text: str, most: int | None) -> list[Word]:
        words = [word for word in word_effects(self._model, self._encoder, text) if word.effect]
        return sorted(words, key=lambda word: -abs(word.effect))[:most]

    def score_file(self, path: Path | None, text: str = "", explain: bool = False) -> Iterator[Scored]:
        """The answers for the texts of a file, or of standard input for None, in order, some thousands at a time.

        Args:
            path: of the file, in any format that is read.
            text: the column of the texts in a table; then its other columns are kept.
            explain: whether the words that moved each score are given, too.

        Raises:
            PipelineError: the file cannot be read or is damaged, or a table lacks the column.
        """
        with open_texts(path, text) as batches:
            for texts, columns, read in batches:
                if explain:
                    found = self.explain(texts)
                    answers = np.array([each.probability for each in found], np.float32)
                    yield Scored(answers, columns, [each.words for each in found], read)
                else:
                    yield Scored(self.predict_proba(texts), columns, read=read)


def label_of(probability: float) -> str:
    """`positive` where the probability of it is more than a half."""
    return "positive" if probability > 0.5 else "negative"


def _load_encoder(folder: Path, config: Mapping[str, Any]) -> TextEncoder:
    """The encoder that the model was trained with, from what its config says of texts."""
    path, vocabulary = folder / layout.MODEL_CONFIG, folder / layout.MODEL_VOCABULARY
    try:
        cleaning = config_from_values(CleaningConfig, config["cleaning"], "cleaning")
        unknown, made_with, digest = config["unknown_id"], config["tokenizer"]["nltk"], config["vocabulary_sha256"]
        if type(unknown) is not int or not 0 <= unknown < config["vocabulary_size"]:
            raise ValueError("unknown_id is no id of the vocabulary")
    except (KeyError, TypeError, ValueError, SettingsError) as error:
        raise PipelineError(f"{path} does not say how texts become ids ({error}); publish the model again") from error
    if made_with != version("nltk"):
        raise PipelineError(
            f"{path}: the model's words were cut by NLTK {made_with}, and NLTK {version('nltk')} here "
            f"cuts others; install nltk=={made_with}"
        )
    if not vocabulary.is_file() or sha256(vocabulary) != digest:
        raise PipelineError(
            f"{vocabulary} is missing, damaged or not of this {layout.MODEL_CONFIG}; publish the model again"
        )
    try:
        if pq.read_metadata(vocabulary).num_rows != config["vocabulary_size"]:  # before it is read into memory
            raise ValueError("it has another number of rows")
        encoder = TextEncoder(vocabulary, cleaning, unknown)
    except Exception as error:  # whatever pyarrow raises for what is none
        raise PipelineError(f"{vocabulary} is no Parquet file of tokens; publish the model again") from error
    words = encoder.vocabulary
    if words.type != pa.string() or words.null_count or len(words) != config["vocabulary_size"]:
        raise PipelineError(
            f"{vocabulary} does not hold the {config['vocabulary_size']:,} tokens that {path} tells "
            "of; publish the model again"
        )
    return encoder
