"""Publish: the model folder, which is all that predictions need."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published, write_text
from sentiment_pipeline.engine.manifest import JSON, fingerprint
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.report.model_card import model_card
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import encode, evaluate, ingest, tokenize, train, vocabulary
from sentiment_pipeline.stages.lineage import lineage
from sentiment_pipeline.text.vocabulary import SPECIAL_TOKENS

__all__ = ["STAGE"]

_VERSION = 5
_NAME = "publish"
_VOCABULARY = f"{layout.MODEL}/{layout.MODEL_VOCABULARY}"
_CARD = f"{layout.MODEL}/{layout.MODEL_CARD}"
_FILES = tuple(f"{layout.MODEL}/{name}" for name in (*layout.MODEL_FILES, layout.MODEL_CARD, layout.LINEAGE))
_OUTPUTS = (*_FILES, layout.LINEAGE)
_MADE_BY = (ingest.STAGE, tokenize.STAGE, vocabulary.STAGE, encode.STAGE, train.STAGE)


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield the one step of the stage.

    `publish` depends on the weights, the vocabulary, the metrics, the lineage, all settings that the model card shows,
    and NLTK's version. It publishes the files of the model folder.

    Raises:
        PipelineError: the folder holds no finished training and evaluation, or damaged files.
    """
    settings, trained = run.settings, run.intact_manifest(train.NAME)
    evaluate.require_trained(run)
    words, evaluated = run.intact_manifest(vocabulary.NAME, layout.VOCABULARY), run.intact_manifest(evaluate.NAME)
    texts = {
        "cleaning": asdict(settings.cleaning),
        "tokenizer": {"name": "nltk.word_tokenize", "nltk": version("nltk")},
        "unknown_id": SPECIAL_TOKENS.index(settings.vocabulary.unknown),
    }
    origin = lineage(run, _MADE_BY, {**evaluate.reported_settings(run), "input": asdict(settings.input)})
    depends: dict[str, JSON] = {
        "version": _VERSION,
        "texts": texts,
        "lineage": fingerprint(origin),
        "weights": trained.outputs[layout.WEIGHTS].sha256,
        "vocabulary": words.outputs[layout.VOCABULARY].sha256,
        "metrics": evaluated.outputs[layout.METRICS].sha256,
        "settings": evaluate.reported_settings(run),
    }
    arguments = {
        "name": settings.preset,
        "model": settings.model,
        "texts": {**texts, "vocabulary_sha256": words.outputs[layout.VOCABULARY].sha256},
        "vocabulary_size": words.facts["size"],
        "groups": evaluate.reported_settings(run),
        "origin": origin,
        "trained_on": trained.facts["trained_on"],
    }
    yield [Step(_NAME, _publish, arguments, depends, _OUTPUTS)]


def _publish(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    name: str,
    model: ModelConfig,
    texts: Mapping[str, Any],
    vocabulary_size: int,
    groups: Mapping[str, Mapping[str, JSON]],
    origin: Mapping[str, JSON],
    trained_on: Mapping[str, JSON],
) -> Mapping[str, JSON]:
    from sentiment_pipeline.models.model_folder import load_weights, save_model  # here, because of torch

    metrics = json.loads((data_dir / layout.METRICS).read_bytes())
    result = {**origin, "metrics": {split: metrics[split] for split in ("test", "validation")}}
    for path in (layout.LINEAGE, f"{layout.MODEL}/{layout.LINEAGE}"):
        write_text(data_dir / path, json.dumps(result, indent=1) + "\n")
    with published(data_dir / _VOCABULARY) as table:
        table.write_bytes((data_dir / layout.VOCABULARY).read_bytes())
    write_text(data_dir / _CARD, model_card(name, metrics, groups, vocabulary_size))
    more = {
        **texts,
        "trained_on": trained_on,
        "fast": {key: metrics["fast"][key] for key in ("threshold", "scale")} if "fast" in metrics else None,
    }
    save_model(data_dir / layout.MODEL, load_weights(data_dir / layout.WEIGHTS), model, vocabulary_size, more)
    return {}


STAGE = Stage("publish", _plan, publishes=_OUTPUTS)
