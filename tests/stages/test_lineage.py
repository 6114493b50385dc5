import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest

from sentiment_pipeline.stages import lineage
from sentiment_pipeline.stages.lineage import versions
from tests.conftest import MakeSettings
from tests.folders import run_here


def test_it_leads_from_the_files_to_the_metrics(trained: Path, sample: Path) -> None:
    found = json.loads((trained / "lineage.json").read_text())
    assert (trained / "model/lineage.json").read_bytes() == (trained / "lineage.json").read_bytes()
    for source in ("train", "test"):
        content = (sample / f"{source}.ft.txt.bz2").read_bytes()
        assert found["inputs"][source] == [
            {"name": f"{source}.ft.txt.bz2", "bytes": len(content), "sha256": sha256(content).hexdigest()}
        ]
    assert found["versions"] == versions()
    assert found["versions"]["torch"] == version("torch")
    assert found["settings"]["model"]["hidden"] == 8
    assert list(found["stages"]) == ["ingest", "tokenize", "quality", "vocabulary", "encode", "train"]
    assert found["metrics"]["test"] == json.loads((trained / "metrics.json").read_text())["test"]


def test_equal_digests_mean_equal_files_and_others_other_files(
    make_settings: MakeSettings, trained: Path, copy: Callable[[Path], Path]
) -> None:
    before = json.loads((trained / "lineage.json").read_text())["stages"]
    data_dir = copy(trained)
    settings = make_settings(data_dir)
    run_here(replace(settings, vocabulary=replace(settings.vocabulary, min_count=3)))
    after = json.loads((data_dir / "lineage.json").read_text())["stages"]
    assert {name for name in before if before[name] == after[name]} == {"ingest", "tokenize", "quality"}


def test_a_package_that_is_missing_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "_PACKAGES", ("torch", "no-such-package"))
    assert set(versions()) == {"sentiment-pipeline", "python", "torch"}
