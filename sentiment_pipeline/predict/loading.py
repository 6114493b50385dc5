"""The parts of a model folder that predictions need beside the model itself."""

import math
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.limits import config_from_values
from sentiment_pipeline.models.cascade import Cascade
from sentiment_pipeline.text.config import CleaningConfig
from sentiment_pipeline.text.encoder import TextEncoder

__all__ = ["load_cascade", "load_encoder"]


def load_cascade(folder: Path, config: Mapping[str, Any]) -> Cascade | None:
    """What the model's config says of fast predictions, if anything.

    Raises:
        PipelineError: it says what cannot be.
    """
    if config.get("fast") is None:
        return None
    try:
        cascade = Cascade(**config["fast"])
        if not (0 <= cascade.threshold < math.inf and 0 < cascade.scale < math.inf):
            raise ValueError("it is no threshold and scale")
    except (TypeError, ValueError) as error:
        raise PipelineError(f"{folder / layout.MODEL_CONFIG}: fast is wrong ({error}); publish it again") from error
    return cascade


def load_encoder(folder: Path, config: Mapping[str, Any]) -> TextEncoder:
    """The encoder that the model was trained with, from what its config says of texts.

    Raises:
        PipelineError: the config or the vocabulary is missing or damaged, or was made with another version of NLTK.
    """
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
