"""Publish: the model folder, which is all that predictions need."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published, write_text
from sentiment_pipeline.engine.manifest import JSON, Manifest, Output, fingerprint, read, recorded_steps
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.report.model_card import model_card
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.settings.publish import EVERY_MODEL
from sentiment_pipeline.stages import encode, evaluate, ingest, quality, tokenize, train, vocabulary
from sentiment_pipeline.stages.lineage import lineage
from sentiment_pipeline.stages.margin import require_not_worse
from sentiment_pipeline.stages.published import (
    NAME,
    files_of,
    is_intact,
    next_model,
    published_manifest,
    restore,
    was_demoted,
    write_lineage,
)
from sentiment_pipeline.text.vocabulary import SPECIAL_TOKENS

__all__ = ["STAGE"]

_VERSION = 6
_OUTPUTS = (*files_of(layout.MODEL), layout.LINEAGE)
_BEFORE = files_of(layout.MODEL_BEFORE)
_SAME_MODEL = ("texts", "weights", "vocabulary")  # what makes a model the same, of what the step depends on
_MADE_BY = (ingest.STAGE, tokenize.STAGE, quality.STAGE, vocabulary.STAGE, encode.STAGE, train.STAGE)


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield the one step of the stage.

    `publish` depends on the weights, the vocabulary, the metrics, the lineage, all settings that the model card shows,
    and NLTK's version. It publishes the files of the model folder; those of the model that it replaces, if that is
    another one, become the model before. After `promote` it is finished as it is, until there is a new model.

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
    published = published_manifest(run.data_dir)
    if published and was_demoted(published, depends) and not published.damage(run.data_dir):
        yield [Step(NAME, _publish, arguments, published.depends, tuple(published.outputs))]
        return
    arguments["replaces"] = replaces = published is not None and _replaces(run.data_dir, published, depends)
    arguments["before"] = before = _before(run.data_dir, published, replaces)
    arguments["margin"] = settings.publish.margin
    reads = _test_shards(run) if replaces and settings.publish.margin < EVERY_MODEL else {}
    yield [Step(NAME, _publish, arguments, depends, (*_OUTPUTS, *(_BEFORE if before else ())), reads)]


def _replaces(data_dir: Path, published: Manifest, depends: Mapping[str, JSON]) -> bool:
    """Whether the published model is whole, and another one than that which `depends` describes."""
    is_other = any(published.depends.get(key) != depends[key] for key in _SAME_MODEL)
    return is_other and is_intact(data_dir, published, layout.MODEL)


def _before(data_dir: Path, published: Manifest | None, replaces: bool) -> Mapping[str, JSON] | None:
    """What the manifest will say of the model before; None if there is none."""
    if published is None:
        return None
    if replaces:
        return {"depends": published.depends}
    return published.facts.get("before") if is_intact(data_dir, published, layout.MODEL_BEFORE) else None


def _test_shards(run: Run[Settings]) -> dict[str, Output]:
    """The texts of the test reviews, if they are there."""
    steps = recorded_steps(run.data_dir, f"{encode.STAGE.name}/test")
    found = {
        name: output for step in steps if (made := read(run.data_dir, step)) for name, output in made.outputs.items()
    }
    below = f"{layout.shards('test')}/"
    return {name: each for name, each in found.items() if name.startswith(below) and (run.data_dir / name).exists()}


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
    margin: float,
    replaces: bool,
    before: Mapping[str, JSON] | None,
) -> Mapping[str, JSON]:
    from sentiment_pipeline.models.model_folder import load_weights, save_model  # here, because of torch

    metrics = json.loads((data_dir / layout.METRICS).read_bytes())
    if replaces:
        require_not_worse(data_dir, metrics["test"], origin["test_reviews"], margin)
    more = {
        **texts,
        "trained_on": trained_on,
        "fast": {key: metrics["fast"][key] for key in ("threshold", "scale")} if "fast" in metrics else None,
    }
    result = {**origin, "metrics": {split: metrics[split] for split in ("test", "validation")}}
    with next_model(data_dir, keeps_published=replaces) as folder:
        write_text(folder / layout.LINEAGE, json.dumps(result, indent=1) + "\n")
        with published(folder / layout.MODEL_VOCABULARY) as table:
            table.write_bytes((data_dir / layout.VOCABULARY).read_bytes())
        write_text(folder / layout.MODEL_CARD, model_card(name, metrics, groups, vocabulary_size))
        save_model(folder, load_weights(data_dir / layout.WEIGHTS), model, vocabulary_size, more)
    write_lineage(data_dir)
    return {"before": before} if before else {}


STAGE = Stage(NAME, _plan, publishes=(*_OUTPUTS, *_BEFORE, *files_of(layout.MODEL_NEXT)), repair=restore)
