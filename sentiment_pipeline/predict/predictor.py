"""A model folder, ready to score texts: the text half and the model half put together."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.hub import local_folder
from sentiment_pipeline.models.cascade import Cascade, cascade_logits
from sentiment_pipeline.models.inference import logits
from sentiment_pipeline.models.model_folder import load_model
from sentiment_pipeline.models.precision import choose_device, choose_dtype
from sentiment_pipeline.paths import StrPath
from sentiment_pipeline.predict.ahead import draw_ahead
from sentiment_pipeline.predict.explain import Explanation, Word, word_effects
from sentiment_pipeline.predict.loading import load_cascade, load_encoder
from sentiment_pipeline.predict.reading import TextBatch, open_texts
from sentiment_pipeline.text.encoder import Encoded

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
        self._encoder = load_encoder(path, config)
        self._cascade = load_cascade(path, config)

    def predict(self, texts: Sequence[str], fast: bool = False) -> list[Prediction]:
        """The label of each text and the probability that it is positive, in order; arguments as `predict_proba`."""
        return [Prediction(label_of(value), value) for value in self.predict_proba(texts, fast).tolist()]

    def predict_proba(self, texts: Sequence[str], fast: bool = False) -> np.ndarray:
        """The probability that each text is positive, float32, shape (texts,).

        Args:
            texts: the texts.
            fast: let the n-grams alone decide where they are sure, several times as fast. The label is then almost
                always the same; `metrics.json` says how often it was on the test reviews.

        Raises:
            TypeError: `texts` is one string, not a sequence of them.
            PipelineError: `fast`, and the model was published without what it takes.
        """
        if isinstance(texts, str):
            raise TypeError("predict takes a list of texts; put the one text into a list: predict([text])")
        return self._probabilities(self._encoder.encode(texts), self._chosen_cascade(fast))

    def _probabilities(self, encoded: Encoded, cascade: Cascade | None = None) -> np.ndarray:
        inputs = encoded.ids, encoded.offsets, self._dtype
        found = cascade_logits(self._model, cascade, *inputs) if cascade else logits(self._model, *inputs)
        return torch.from_numpy(found).sigmoid().numpy()

    def _chosen_cascade(self, fast: bool) -> Cascade | None:
        if fast and self._cascade is None:
            raise PipelineError(
                "this model has no fast predictions: those need a linear head (model.linear_length, model.ngrams) and "
                "1,000 validation reviews; predict without --fast"
            )
        return self._cascade if fast else None

    def predict_each(self, texts: Sequence[str]) -> list[Prediction]:
        """As `predict([text])` for each text, bit for bit, whatever the others are.

        A batch of another shape may round differently, so the model reads each text alone. That is slower.
        """
        encoded = self._encoder.encode(texts)
        bounds = zip(encoded.offsets, encoded.offsets[1:], strict=False)
        alone = (Encoded(encoded.ids[start:end], np.array([0, end - start])) for start, end in bounds)
        return [Prediction(label_of(value), value) for value in (self._probabilities(each).item() for each in alone)]

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

    def score_file(
        self, path: Path | None, text: str = "", explain: bool = False, fast: bool = False
    ) -> Iterator[Scored]:
        """The answers for the texts of a file, or of standard input for None, in order, some thousands at a time.

        Args:
            path: of the file, in any format that is read.
            text: the column of the texts in a table; then its other columns are kept.
            explain: whether the words that moved each score are given, too.
            fast: as for `predict_proba`; not together with `explain`.

        Raises:
            SettingsError: `fast` and `explain`.
            PipelineError: the file cannot be read or is damaged, or a table lacks the column.
        """
        if fast and explain:
            raise SettingsError("--explain explains the answers of the whole model; leave --fast out")
        cascade = self._chosen_cascade(fast)
        with open_texts(path, text) as batches:
            yield from self._explained(batches) if explain else self._scored(batches, cascade)

    def _explained(self, batches: Iterable[TextBatch]) -> Iterator[Scored]:
        for texts, columns, read in batches:
            found = self.explain(texts)
            answers = np.array([each.probability for each in found], np.float32)
            yield Scored(answers, columns, [each.words for each in found], read)

    def _scored(self, batches: Iterable[TextBatch], cascade: Cascade | None) -> Iterator[Scored]:
        """Score batches; the texts of the next ones become ids while the model reads one."""
        encoded = ((batch, self._encoder.encode(batch.texts)) for batch in batches)
        for batch, ids in draw_ahead(encoded):
            yield Scored(self._probabilities(ids, cascade), batch.columns, read=batch.read)


def label_of(probability: float) -> str:
    """`positive` where the probability of it is more than a half."""
    return "positive" if probability > 0.5 else "negative"
