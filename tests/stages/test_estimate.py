"""The estimate of a run, against what the run then does."""

import bz2
import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sentiment_pipeline.engine.manifest import read, recorded_steps
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.stages import estimate as module
from sentiment_pipeline.stages.estimate import StageEstimate, estimate
from sentiment_pipeline.stages.pipeline import STAGES
from tests.conftest import MakeSettings


@pytest.fixture(autouse=True)
def small_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PREPARED", 300)
    monkeypatch.setattr(module, "_TRAINED", (100, 100, 300))


def test_steps_and_disk_are_about_those_of_the_run(make_settings: MakeSettings, trained: Path, tmp_path: Path) -> None:
    found = list(estimate(make_settings(tmp_path / "data")))
    assert not (tmp_path / "data").exists()
    assert [each.stage for each in found] == [stage.name for stage in STAGES]
    for each in found:
        manifests = [read(trained, step) for step in recorded_steps(trained, each.stage)]
        size = sum(output.bytes for manifest in manifests if manifest for output in manifest.outputs.values())
        assert each.steps == len(manifests), each
        assert 0.4 * size < each.bytes, each
        assert each.bytes < 2.5 * size or each.stage == "train", each  # which keeps checkpoints, too
        assert each.seconds > 0


def test_what_is_finished_costs_nothing(make_settings: MakeSettings, trained: Path) -> None:
    assert list(estimate(make_settings(trained))) == [StageEstimate(stage.name, 0, 0.0, 0) for stage in STAGES]


def test_a_changed_setting_costs_what_depends_on_it(make_settings: MakeSettings, trained: Path) -> None:
    found = {each.stage: each for each in estimate(make_settings(trained, "model.hidden=9"))}
    assert [name for name, each in found.items() if each.steps] == ["train", "evaluate", "publish"]


def test_a_limit_on_lines_counts(make_settings: MakeSettings, tmp_path: Path) -> None:
    whole = list(estimate(make_settings(tmp_path / "data")))
    part = list(estimate(make_settings(tmp_path / "data", "ingest.train_lines=400", "ingest.test_lines=100")))
    packed = [next(each.bytes for each in found if each.stage == "encode") for found in (whole, part)]
    assert packed[1] < 0.6 * packed[0]


def test_a_file_that_is_read_from_its_beginning(make_settings: MakeSettings, sample: Path, tmp_path: Path) -> None:
    files = {}
    for name in ("train", "test"):
        files[name] = tmp_path / f"{name}.txt.gz"
        files[name].write_bytes(gzip.compress(bz2.decompress((sample / f"{name}.ft.txt.bz2").read_bytes())))
    settings = make_settings(tmp_path / "data")
    as_bz2, as_gz = (
        list(estimate(each)) for each in (settings, replace(settings, train=(files["train"],), test=(files["test"],)))
    )
    for one, other in zip(as_bz2, as_gz, strict=True):
        if one.stage in ("tokenize", "encode"):
            assert other.bytes == pytest.approx(one.bytes, rel=0.5)


def test_a_folder_that_grows_has_an_estimate(
    make_settings: MakeSettings, trained: Path, copy: Callable[[Path], Path], tmp_path: Path
) -> None:
    write_sample(tmp_path / "more", 400, seed=5)
    growing = (
        "vocabulary.source=frozen",
        "training.start_from=published",
        "training.replay=0.5",
        "quality.faults=fail",
    )
    settings = make_settings(copy(trained), *growing)
    grown = replace(settings, train=(*settings.train, tmp_path / "more" / "train.ft.txt.bz2"))
    found = {each.stage: each for each in estimate(grown)}
    assert found["train"].steps == found["publish"].steps == 1
    assert 0 < found["ingest"].steps < 5
