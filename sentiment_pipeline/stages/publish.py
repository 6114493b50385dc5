"""Publish: the model folder, which `predict` works from alone."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sentiment_pipeline.prepare.vocabulary import SPECIAL
from sentiment_pipeline.report.model_card import model_card
from sentiment_pipeline.stages import evaluate, train, vocabulary
from sentiment_pipeline.stages.step import Report, Run, Step
from sentiment_pipeline.storage.files import published, write_text
from sentiment_pipeline.storage.manifest import JSON
from sentiment_pipeline.training.config import ModelConfig
from sentiment_pipeline.training.model_folder import CONFIG, load_weights, save_model
from sentiment_pipeline.training.model_folder import WEIGHTS as MODEL_WEIGHTS

VERSION = 1
NAME = "publish"
FOLDER = "model"
TABLE, CARD = f"{FOLDER}/vocabulary.parquet", f"{FOLDER}/README.md"
PUBLISHES = (f"{FOLDER}/{MODEL_WEIGHTS}", f"{FOLDER}/{CONFIG}", TABLE, CARD)


def plan(run: Run) -> Iterator[list[Step]]:
    settings, trained = run.settings, run.intact(train.NAME)
    evaluate.demand_trained(run)
    words, evaluated = run.intact(vocabulary.NAME, vocabulary.TABLE), run.intact(evaluate.NAME)
    texts = {
        "cleaning": asdict(settings.cleaning),
        "tokenizer": {"name": "nltk.word_tokenize", "nltk": version("nltk")},
        "unknown_id": SPECIAL.index(settings.vocabulary.unknown),
    }
    depends: dict[str, JSON] = {
        "version": VERSION,
        "texts": texts,
        "weights": trained.outputs[train.WEIGHTS].sha256,
        "vocabulary": words.outputs[vocabulary.TABLE].sha256,
        "metrics": evaluated.outputs[evaluate.METRICS].sha256,
        "settings": evaluate.groups_of(run),
    }
    arguments = {
        "name": settings.preset,
        "model": settings.model,
        "texts": {**texts, "vocabulary_sha256": words.outputs[vocabulary.TABLE].sha256},
        "vocabulary_size": words.facts["size"],
        "groups": evaluate.groups_of(run),
    }
    yield [Step(NAME, work, arguments, depends, PUBLISHES)]


def work(data_dir: Path, report: Report, *, name: str, model: ModelConfig, texts: Mapping[str, Any],
         vocabulary_size: int, groups: Mapping[str, Mapping[str, JSON]]) -> Mapping[str, JSON]:
    metrics = json.loads((data_dir / evaluate.METRICS).read_bytes())
    with published(data_dir / TABLE) as table:
        table.write_bytes((data_dir / vocabulary.TABLE).read_bytes())
    write_text(data_dir / CARD, model_card(name, metrics, groups, vocabulary_size))
    save_model(data_dir / FOLDER, load_weights(data_dir / train.WEIGHTS), model, vocabulary_size, texts)
    return {}
