import json
from dataclasses import replace
from pathlib import Path

from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.stages.pipeline import EVALUATE, PREPARE, STAGES, TRAIN
from sentiment_pipeline.stages.result import result_line
from tests.conftest import MakeSettings
from tests.folders import run_here


def test_the_result_of_each_kind_of_run(make_settings: MakeSettings, trained: Path) -> None:
    run = Run(trained, make_settings(trained))
    metrics = json.loads((trained / "metrics.json").read_text())
    accuracy = {split: f"{100 * metrics[split]['accuracy']:.2f}%" for split in ("test", "validation")}
    reviews = metrics["validation"]["reviews"]
    assert result_line(run, STAGES) == result_line(run, EVALUATE) == f"test accuracy {accuracy['test']} (150 reviews)"
    assert result_line(run, TRAIN) == f"validation accuracy {accuracy['validation']} ({reviews} reviews)"
    assert result_line(run, PREPARE) == "prepared 1,500 reviews"


def test_rejected_lines_are_counted_and_said_why(make_settings: MakeSettings, tmp_path: Path) -> None:
    for name, count in (("train", 50), ("test", 51)):
        lines = [f"__label__{1 + number % 2} review {number}" for number in range(count)]
        (tmp_path / name).write_text("\n".join([*lines, "__label__1", "no label at all"]) + "\n")
    settings = replace(make_settings(tmp_path / "data"), train=(tmp_path / "train",), test=(tmp_path / "test",))
    run_here(settings, PREPARE)
    line = result_line(Run(settings.data_dir, settings), PREPARE)
    reasons = "does not start with a label, __label__1 or __label__2; no text after the label"
    assert line == f"prepared 101 reviews, 4 rejected ({reasons})"
