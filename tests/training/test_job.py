from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.training.job import Job, TrainResult
from tests.training.examples import job_in


def test_a_job_survives_its_file(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    for each in (job, replace(job, vectors=tmp_path / "vectors.txt", words=tmp_path / "vocabulary.parquet")):
        each.write(tmp_path / "job.json")
        assert Job.read(tmp_path / "job.json") == each


@pytest.mark.parametrize("text", ['{"packed": 3}', "[", "3", ""])
def test_what_is_no_job_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "job.json").write_text(text)
    with pytest.raises(PipelineError, match=r"job\.json"):
        Job.read(tmp_path / "job.json")


def test_what_a_checkpoint_must_share_names_every_setting(tmp_path: Path) -> None:
    identity = job_in(tmp_path).identity()
    assert identity["model.hidden"] == 8
    assert identity["training.pretraining_epochs"] == 0
    assert identity["vocabulary_size"] == 50
    assert not any(name.startswith("runtime") for name in identity)


def test_a_result_survives_its_files(tmp_path: Path) -> None:
    result = TrainResult({"a": torch.arange(3.0)}, {"loss": 0.5}, {"steps": 3.0})
    result.write(tmp_path)
    again = TrainResult.read(tmp_path)
    assert torch.equal(again.weights["a"], result.weights["a"])
    assert (again.validation, again.facts) == (result.validation, result.facts)
    (tmp_path / "result.json").unlink()
    with pytest.raises(PipelineError, match=r"result\.json"):
        TrainResult.read(tmp_path)
