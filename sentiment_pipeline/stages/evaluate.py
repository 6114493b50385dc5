"""Evaluate: score the test set, which training never sees, with the best weights; write the metrics and the report."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from sentiment_pipeline import layout
from sentiment_pipeline.data.packed import PackedReviews, open_packed
from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.manifest import JSON, Output, fingerprint, read, recorded_steps
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import ProgressCallback, Step, outputs_of, upstream_digest
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.report.result import Mistake, Result, StageTime
from sentiment_pipeline.settings import Settings, changed_settings
from sentiment_pipeline.stages import encode, parts, quality, train, vocabulary
from sentiment_pipeline.stages.lineage import test_reviews
from sentiment_pipeline.stages.run_history import damage, read_runs, record_run
from sentiment_pipeline.training.config import RuntimeConfig

__all__ = ["NAME", "STAGE", "reported_settings", "require_trained"]

_VERSION = 3
NAME = "evaluate"
_PREPARE = ("ingest", "tokenize", "quality", "vocabulary", "encode")
_MISTAKES = 8  # reviews shown in the report
_GROUPS = ("ingest", "cleaning", "split", "vocabulary", "model", "training")  # settings shown there
_RESULT_GROUPS = ("input", "quality", *_GROUPS)  # settings that the figures depend on


def _plan(run: Run[Settings]) -> Iterator[list[Step]]:
    """Yield the one step of the stage.

    `evaluate` depends on the weights, the packed splits `validation` and `test`, and all settings that the report
    shows. It reads these files and, where they exist, the rejected lines, the test reviews and the lengths of the
    training reviews, which only the report needs. It publishes the metrics and, where matplotlib is installed, the
    report. It also records the run in the history of the folder, which no manifest describes because it grows.

    Raises:
        PipelineError: the folder holds no finished training, one with other settings, or damaged files.
    """
    settings, trained = run.settings, run.intact_manifest(train.NAME)
    require_trained(run)
    packed = [run.intact_manifest(encode.pack_name(split)) for split in ("validation", "test")]
    depends: dict[str, JSON] = {
        "version": _VERSION,
        "packed": upstream_digest(packed),
        "train": trained.fingerprint,
        "weights": trained.outputs[layout.WEIGHTS].sha256,
        "settings": reported_settings(run),
        "quality": quality.found_digest(run),
    }
    arguments = {
        "name": settings.preset,
        "model": settings.model,
        "precision": settings.training.precision,
        "runtime": settings.runtime,
        "vocabulary_size": run.manifest(vocabulary.NAME).facts["size"],
        "groups": reported_settings(run),
        "about": {
            "fingerprint": fingerprint(depends),
            "preset": settings.preset,
            "changed": changed_settings(settings, _RESULT_GROUPS),
            "test_reviews": test_reviews(run),
        },
    }
    reads = {**outputs_of([trained, *packed]), **_optional_reads(run)}
    outputs = (layout.METRICS, layout.REPORT) if _can_report() else (layout.METRICS,)
    yield [Step(NAME, _evaluate, arguments, depends, outputs, reads)]


def _can_report() -> bool:
    return find_spec("matplotlib") is not None


def _optional_reads(run: Run[Settings]) -> dict[str, Output]:
    """The files that only the report needs, if they exist: a folder may be copied to a GPU machine without them."""
    shards = recorded_steps(run.data_dir, f"{encode.STAGE.name}/test")
    steps = [*map(parts.total_name, layout.SOURCES), encode.pack_name("train"), *shards]
    found = outputs_of(manifest for step in steps if (manifest := read(run.data_dir, step)))
    not_read = layout.packed_array("train", "ids")  # the largest file of all
    return {name: output for name, output in found.items() if name != not_read and (run.data_dir / name).exists()}


def require_trained(run: Run[Settings]) -> None:
    """Require that the weights were trained with the present settings.

    Raises:
        PipelineError: a value differs; names it.
    """
    encode.require_prepared(run)
    run.require_same(train.NAME, model=asdict(run.settings.model), training=asdict(train.training_config(run)))


def reported_settings(run: Run[Settings]) -> dict[str, dict[str, JSON]]:
    """The settings that the report and the model card show, by group."""
    return {group: asdict(getattr(run.settings, group)) for group in _GROUPS}


def _evaluate(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    name: str,
    model: ModelConfig,
    precision: str,
    runtime: RuntimeConfig,
    vocabulary_size: int,
    groups: Mapping[str, Mapping[str, JSON]],
    about: Mapping[str, JSON],
) -> Mapping[str, JSON]:
    from sentiment_pipeline.models.cascade import evaluate_cascade  # here, because torch takes seconds
    from sentiment_pipeline.models.evaluation import evaluate
    from sentiment_pipeline.models.model_folder import build_model, load_weights
    from sentiment_pipeline.models.precision import choose_device, choose_dtype, prepare_process

    prepare_process()
    started = time.monotonic()
    validation, reviews = (open_packed(data_dir / layout.packed(each), vocabulary_size) for each in layout.SPLITS[1:])
    device = choose_device(runtime.device)
    dtype = choose_dtype(precision, device)
    path = data_dir / layout.WEIGHTS
    network = build_model(model, vocabulary_size, load_weights(path), str(path)).to(device)
    figures, probabilities = evaluate(network, reviews, dtype)
    fast = evaluate_cascade(network, validation, reviews, probabilities > 0.5, dtype)
    found = quality.findings(data_dir)
    metrics = {
        "test": figures,
        **_earlier_figures(data_dir),
        **({"fast": fast} if fast else {}),
        **({"quality": found} if found else {}),
    }
    write_text(data_dir / layout.METRICS, json.dumps(metrics, indent=1) + "\n")
    record_run(data_dir, about, metrics, time.monotonic() - started)
    facts: dict[str, JSON] = {key: figures[key] for key in ("accuracy", "loss", "reviews")}
    if not _can_report():
        missing = (
            f"{layout.REPORT} is not written without matplotlib; pip install sentiment-pipeline[report], run again"
        )
        return {**facts, "warnings": [missing]}
    write_text(data_dir / layout.REPORT, _report(data_dir, name, metrics, groups, reviews, probabilities))
    return facts


def _earlier_figures(data_dir: Path) -> dict[str, dict[str, JSON]]:
    """The figures of earlier stages: `validation`, `train` and `prepare` of the metrics."""
    trained = read(data_dir, train.NAME)
    facts = dict(trained.facts) if trained else {}
    for name in ("warnings", "versions"):
        facts.pop(name, None)
    validation, totals = facts.pop("validation", {}), Counter[str]()
    for source in layout.SOURCES:
        if total := read(data_dir, parts.total_name(source)):
            totals.update({name: total.facts[name] for name in ("reviews", "rejected", "blank")})
    seconds = sum(seconds for _, _, seconds in _stage_times(data_dir, _PREPARE))
    return {"validation": validation, "train": facts, "prepare": {**totals, "seconds": round(seconds, 3)}}


def _stage_times(data_dir: Path, stages: tuple[str, ...]) -> Iterator[tuple[str, int, float]]:
    """The name of each stage, its number of steps and their total time in seconds, summed over all processes."""
    for stage in stages:
        manifests = [manifest for step in recorded_steps(data_dir, stage) if (manifest := read(data_dir, step))]
        yield stage, len(manifests), sum(float(manifest.facts["seconds"]) for manifest in manifests)


def _report(
    data_dir: Path,
    name: str,
    metrics: Mapping[str, Any],
    groups: Mapping[str, Mapping[str, JSON]],
    reviews: PackedReviews,
    probabilities: np.ndarray,
) -> str:
    """The report as HTML."""
    from sentiment_pipeline.report.page import render  # here, because it imports matplotlib, which may be missing

    lengths = {
        split: np.load(data_dir / layout.packed_array(split, "lengths"), mmap_mode="r") for split in layout.SPLITS
    }
    lines = (data_dir / layout.HISTORY).read_text(encoding="utf-8").splitlines()
    return render(
        Result(
            name=name,
            metrics=metrics,
            settings=groups,
            history=[json.loads(line) for line in lines],
            stages=[StageTime(*times) for times in _stage_times(data_dir, (*_PREPARE, train.NAME))],
            lengths=lengths,
            probabilities=probabilities,
            labels=np.asarray(reviews.labels),
            rejected={source: _rejected_reasons(data_dir / layout.rejected(source)) for source in layout.SOURCES},
            mistakes=_mistakes(data_dir, np.asarray(reviews.labels), probabilities),
        )
    )


def _rejected_reasons(path: Path) -> dict[str, int]:
    """The number of rejected lines for each reason; empty if the table is missing."""
    return dict(Counter(pq.read_table(path, columns=["reason"])["reason"].to_pylist())) if path.exists() else {}


def _mistakes(data_dir: Path, labels: np.ndarray, probabilities: np.ndarray) -> list[Mistake]:
    """The wrong predictions with the highest confidence, the worst first."""
    wrongness = np.abs(probabilities - labels)
    worst = np.argsort(-wrongness, kind="stable")[:_MISTAKES]
    rows = sorted(int(row) for row in worst if wrongness[row] > 0.5)
    texts = dict(zip(rows, _test_texts(data_dir, rows), strict=False))
    return [Mistake(texts[row], int(labels[row]), float(probabilities[row])) for row in worst.tolist() if row in texts]


def _test_texts(data_dir: Path, rows: list[int]) -> Iterator[str]:
    """The texts of some reviews of the test split, by ascending row; holds one row group in memory at a time."""
    start, remaining = 0, list(rows)
    for path in sorted(data_dir.glob(layout.shard("test", layout.ANY))):
        file = pq.ParquetFile(path)
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            inside = [row - start for row in remaining if row < end]
            if inside:
                yield from file.read_row_group(group, columns=["text"])["text"].take(inside).to_pylist()
            remaining, start = remaining[len(inside) :], end


STAGE = Stage(
    NAME,
    _plan,
    publishes=(layout.METRICS, layout.REPORT),
    check=lambda run: read_runs(run.data_dir),  # before hours of training, not after
    inspect=damage,
)
