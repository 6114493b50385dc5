from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from nltk import __version__ as nltk_version

from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.models.model_folder import save_model
from sentiment_pipeline.models.sentiment import SentimentModel
from tests.training.examples import model_config

WORDS = ["_PAD", "_UNK", "the", "great", "terrible", ".", "film", "0", "book"]


SaveFolder = Callable[..., Path]


@pytest.fixture
def save_folder(tmp_path: Path) -> SaveFolder:
    """Saves a model folder with a handful of words and random weights, given a config and what it says of `fast`."""

    def save(config: ModelConfig, fast: Any = None) -> Path:
        folder = tmp_path / "model"
        folder.mkdir()
        vocabulary = folder / "vocabulary.parquet"
        pq.write_table(pa.table({"token": WORDS, "count": range(len(WORDS)), "id": range(len(WORDS))}), vocabulary)
        torch.manual_seed(0)
        texts = {
            "cleaning": {"html_breaks": True},
            "tokenizer": {"name": "nltk.word_tokenize", "nltk": nltk_version},
            "unknown_id": 1,
            "vocabulary_sha256": sha256(vocabulary),
            "fast": fast,
        }
        save_model(folder, SentimentModel(config, len(WORDS)).state_dict(), config, len(WORDS), texts)
        return folder

    return save


@pytest.fixture
def folder(save_folder: SaveFolder) -> Path:
    """A model folder."""
    return save_folder(model_config(ngrams=0))
