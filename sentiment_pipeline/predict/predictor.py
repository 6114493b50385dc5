"""A model folder, ready to score texts: the text half and the model half put together."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.predict.reading import opened_texts
from sentiment_pipeline.prepare.config import CleaningConfig
from sentiment_pipeline.prepare.encoder import TextEncoder
from sentiment_pipeline.storage.files import sha256
from sentiment_pipeline.training.config import checked
from sentiment_pipeline.training.inference import probabilities
from sentiment_pipeline.training.model_folder import CONFIG, load_model
from sentiment_pipeline.training.precision import choose_format

VOCABULARY = "vocabulary.parquet"


class Predictor:
    """A trained model with the words it knows.

    Args:
        folder: a model folder, as the pipeline publishes it.

    Raises:
        PipelineError: a file is missing or damaged, or the model was made with other tokens than this machine makes.
    """

    def __init__(self, folder: Path) -> None:
        self.model, config = load_model(folder)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model.to(device)
        self.format = choose_format("auto", device)
        self.encoder = load_encoder(folder, config)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """The probability that each text is positive, float32, shape (texts,)."""
        encoded = self.encoder.encode(texts)
        return probabilities(self.model, encoded.ids, encoded.offsets, self.format)

    def predict(self, path: Path | None) -> Iterator[np.ndarray]:
        """The probability of each line of a file, or of standard input for None, in order, an array a block.

        Raises:
            PipelineError: the file cannot be read, or is a damaged .bz2.
        """
        with opened_texts(path) as blocks:
            for texts in blocks:
                yield self.probabilities(texts)


def load_encoder(folder: Path, config: Mapping[str, Any]) -> TextEncoder:
    """The encoder that the model was trained with, from what its config says of texts."""
    path, vocabulary = folder / CONFIG, folder / VOCABULARY
    try:
        cleaning = checked(CleaningConfig, config["cleaning"], "cleaning")
        unknown, made_with, digest = config["unknown_id"], config["tokenizer"]["nltk"], config["vocabulary_sha256"]
        if type(unknown) is not int or not 0 <= unknown < config["vocabulary_size"]:
            raise ValueError("unknown_id is no id of the vocabulary")
    except (KeyError, TypeError, ValueError, SettingsError) as error:
        raise PipelineError(f"{path} does not say how texts become ids ({error}); publish the model again") from error
    if made_with != version("nltk"):
        raise PipelineError(f"{path}: the model's words were cut by NLTK {made_with}, and NLTK {version('nltk')} here "
                            f"cuts others; install nltk=={made_with}")
    if not vocabulary.is_file() or sha256(vocabulary) != digest:
        raise PipelineError(f"{vocabulary} is missing, damaged or not of this {CONFIG}; publish the model again")
    try:
        if pq.read_metadata(vocabulary).num_rows != config["vocabulary_size"]:  # before it is read into memory
            raise ValueError("it has another number of rows")
        encoder = TextEncoder(vocabulary, cleaning, unknown)
    except Exception as error:  # whatever pyarrow raises for what is none
        raise PipelineError(f"{vocabulary} is no Parquet file of tokens; publish the model again") from error
    words = encoder.vocabulary
    if words.type != pa.string() or words.null_count or len(words) != config["vocabulary_size"]:
        raise PipelineError(f"{vocabulary} does not hold the {config['vocabulary_size']:,} tokens that {path} tells "
                            "of; publish the model again")
    return encoder
