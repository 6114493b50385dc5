"""Evaluate: the best weights on the test set, which nothing has read before; the figures and the report."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from sentiment_pipeline.stages import encode, ingest, train, vocabulary
from sentiment_pipeline.stages.step import Report, Run, Step, outputs_of, upstream
from sentiment_pipeline.storage.files import write_text
from sentiment_pipeline.storage.manifest import FOLDER, JSON, Output, read
from sentiment_pipeline.training.config import ModelConfig, RuntimeConfig
from sentiment_pipeline.training.evaluation import evaluate
from sentiment_pipeline.training.model_folder import build, load_weights
from sentiment_pipeline.training.packed import PackedReviews, open_packed
from sentiment_pipeline.training.precision import choose_device, choose_format, prepare_process

VERSION = 1
NAME = "evaluate"
METRICS, REPORT = PUBLISHES = "metrics.json", "report.html"
BEFORE = ("ingest", "tokenize", "vocabulary", "encode")
MISTAKES = 8  # shown in the report
GROUPS = ("ingest", "cleaning", "split", "vocabulary", "model", "training")


def plan(run: Run) -> Iterator[list[Step]]:
    settings, trained = run.settings, run.intact(train.NAME)
    demand_trained(run)
    packed = [run.intact(encode.pack_name(split)) for split in ("validation", "test")]
    depends: dict[str, JSON] = {
        "version": VERSION,
        "packed": upstream(packed),
        "train": trained.fingerprint,
        "weights": trained.outputs[train.WEIGHTS].sha256,
        "settings": groups_of(run),
    }
    arguments = {
        "name": settings.preset,
        "model": settings.model,
        "precision": settings.training.precision,
        "runtime": settings.runtime,
        "vocabulary_size": run.manifest(vocabulary.NAME).facts["size"],
        "groups": groups_of(run),
    }
    reads = {**outputs_of([trained, *packed]), **shown(run)}
    yield [Step(NAME, work, arguments, depends, (METRICS, REPORT), reads)]


def shown(run: Run) -> dict[str, Output]:
    """What the report shows besides, as far as it was brought along."""
    shards = [f"encode/test/{path.stem}" for path in (run.data_dir / FOLDER / "encode/test").glob("part-*.json")]
    steps = [*map(ingest.total_name, ingest.SOURCES), encode.pack_name("train"), *shards]
    found = outputs_of(manifest for step in steps if (manifest := read(run.data_dir, step)))
    not_shown = encode.packed_path("train", "ids")  # the largest file of all
    return {name: output for name, output in found.items() if name != not_shown and (run.data_dir / name).exists()}


def demand_trained(run: Run) -> None:
    """Refuse settings other than those that the weights were made with.

    Raises:
        PipelineError: a value differs; names it.
    """
    encode.demand_prepared(run)
    run.demand_same(train.NAME, model=asdict(run.settings.model), training=asdict(train.training_of(run)))


def groups_of(run: Run) -> dict[str, dict[str, JSON]]:
    """The settings that the report and the model card tell of."""
    return {group: asdict(getattr(run.settings, group)) for group in GROUPS}


def work(data_dir: Path, report: Report, *, name: str, model: ModelConfig, precision: str, runtime: RuntimeConfig,
         vocabulary_size: int, groups: Mapping[str, Mapping[str, JSON]]) -> Mapping[str, JSON]:
    prepare_process()
    reviews = open_packed(data_dir / "packed" / "test", vocabulary_size)
    device = choose_device(runtime)
    path = data_dir / train.WEIGHTS
    network = build(model, vocabulary_size, load_weights(path), str(path)).to(device)
    figures, probabilities = evaluate(network, reviews, choose_format(precision, device))
    metrics = {"test": figures, **earlier_figures(data_dir)}
    write_text(data_dir / METRICS, json.dumps(metrics, indent=1) + "\n")
    write_text(data_dir / REPORT, render(data_dir, name, metrics, groups, reviews, probabilities))
    return {"accuracy": figures["accuracy"], "loss": figures["loss"], "reviews": figures["reviews"]}


def earlier_figures(data_dir: Path) -> dict[str, dict[str, JSON]]:
    """What the stages before this one found out: `validation`, `train` and `prepare` of the metrics."""
    trained = read(data_dir, train.NAME)
    facts = dict(trained.facts) if trained else {}
    validation, totals = facts.pop("validation", {}), Counter[str]()
    for source in ingest.SOURCES:
        if total := read(data_dir, ingest.total_name(source)):
            totals.update(reviews=total.facts["reviews"], rejected=total.facts["rejected"])
    seconds = sum(seconds for _, _, seconds in stage_times(data_dir, BEFORE))
    return {"validation": validation, "train": facts, "prepare": {**totals, "seconds": round(seconds, 3)}}


def stage_times(data_dir: Path, stages: tuple[str, ...]) -> Iterator[tuple[str, int, float]]:
    """Each stage's name, its number of steps and the seconds of their work, added up over all processes."""
    for stage in stages:
        paths = [*(data_dir / FOLDER / stage).rglob("*.json"), *(data_dir / FOLDER).glob(f"{stage}.json")]
        steps = [path.relative_to(data_dir / FOLDER).with_suffix("").as_posix() for path in paths]
        manifests = [manifest for step in steps if (manifest := read(data_dir, step))]
        yield stage, len(manifests), sum(float(manifest.facts["seconds"]) for manifest in manifests)


def render(data_dir: Path, name: str, metrics: Mapping[str, Any], groups: Mapping[str, Mapping[str, JSON]],
           reviews: PackedReviews, probabilities: np.ndarray) -> str:
    """The report as HTML."""
    from sentiment_pipeline.report.page import Result, Stage, render  # here: a machine that trains may lack matplotlib

    lengths = {split: np.load(data_dir / "packed" / split / "lengths.npy", mmap_mode="r")
               for split in ("train", "validation", "test")}
    lines = (data_dir / train.HISTORY).read_text(encoding="utf-8").splitlines()
    return render(Result(
        name=name,
        metrics=metrics,
        settings=groups,
        history=[json.loads(line) for line in lines],
        stages=[Stage(*times) for times in stage_times(data_dir, (*BEFORE, train.NAME))],
        lengths=lengths,
        probabilities=probabilities,
        labels=np.asarray(reviews.labels),
        rejected={source: rejected_reasons(data_dir / f"rejected/{source}.parquet") for source in ingest.SOURCES},
        mistakes=mistakes(data_dir / "shards" / "test", np.asarray(reviews.labels), probabilities),
    ))


def rejected_reasons(path: Path) -> dict[str, int]:
    """How many lines were rejected for each reason; empty where the table was not brought along."""
    return dict(Counter(pq.read_table(path, columns=["reason"])["reason"].to_pylist())) if path.exists() else {}


def mistakes(shards: Path, labels: np.ndarray, probabilities: np.ndarray) -> list[Any]:
    """The reviews that the model got wrong with the greatest certainty, the worst first."""
    from sentiment_pipeline.report.page import Mistake

    wrongness = np.abs(probabilities - labels)
    worst = np.argsort(-wrongness, kind="stable")[:MISTAKES]
    rows = sorted(int(row) for row in worst if wrongness[row] > 0.5)
    texts = dict(zip(rows, texts_of(shards, rows), strict=False))
    return [Mistake(texts[row], int(labels[row]), float(probabilities[row])) for row in worst.tolist() if row in texts]


def texts_of(shards: Path, rows: list[int]) -> Iterator[str]:
    """The texts of some reviews of a split, by ascending row, one row group in memory at a time."""
    start, waiting = 0, list(rows)
    for path in sorted(shards.glob("part-*.parquet")):
        file = pq.ParquetFile(path)
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            inside = [row - start for row in waiting if row < end]
            if inside:
                yield from file.read_row_group(group, columns=["text"])["text"].take(inside).to_pylist()
            waiting, start = waiting[len(inside):], end
