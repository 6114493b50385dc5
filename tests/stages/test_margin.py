import json
from dataclasses import replace
from pathlib import Path

import pytest

from sentiment_pipeline.engine.status import stage_statuses
from sentiment_pipeline.engine.verify import damage
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import margin
from sentiment_pipeline.stages.pipeline import STAGES
from tests.conftest import MakeSettings
from tests.folders import contents, run_here
from tests.stages.conftest import run_of
from tests.stages.test_published import models

WORSE = ("model.linear_length=0", "training.learning_rate=1e-9")  # a model that has learned nothing


def accuracy(data_dir: Path, name: str = "metrics.json") -> float:
    found = json.loads((data_dir / name).read_text())
    return float(found.get("metrics", found)["test"]["accuracy"])


def test_a_worse_model_is_refused_and_the_published_one_stays(finished: Path, make_settings: MakeSettings) -> None:
    before = {name: digest for name, digest in contents(finished).items() if name.startswith(("model", "lineage"))}
    published, settings = accuracy(finished), make_settings(finished, *WORSE, "publish.margin=0.05")
    with pytest.raises(PipelineError) as refused:
        run_here(settings)
    assert str(refused.value) == (
        f"the new model is not published: its test accuracy of {100 * accuracy(finished):.2f}% is "
        f"{100 * (published - accuracy(finished)):.2f} points below that of the published one, {100 * published:.2f}%, "
        f"on the same 150 reviews, and publish.margin allows 5.00; {finished / 'model'} is as before; "
        "to publish without comparing, set publish.margin to 1"
    )
    assert accuracy(finished) < published - 0.05
    after = contents(finished)
    assert {name: after.get(name) for name in before} == before
    assert damage(finished, STAGES) == []
    statuses = {each["stage"]: each for each in stage_statuses(run_of(settings), STAGES)}
    assert {name for name, each in statuses.items() if each["condition"] == "finished"} == {*statuses} - {"publish"}
    assert "weights changed" in statuses["publish"]["steps"][0]["reason"]
    assert run_here(make_settings(finished, *WORSE)) == {"publish"}
    assert accuracy(finished, "model/lineage.json") == accuracy(finished)


def test_a_model_that_is_worse_by_no_more_than_the_margin_is_published(
    finished: Path, make_settings: MakeSettings
) -> None:
    before, published = models(finished), accuracy(finished)
    run_here(make_settings(finished, "training.seed=5", "publish.margin=0.2"))
    assert published - 0.2 <= accuracy(finished) < published
    assert models(finished)["model-before"] == before["model"]


@pytest.fixture
def with_other_tests(finished: Path, make_settings: MakeSettings, tmp_path: Path) -> Settings:
    """Settings of a worse model that is tested on other reviews."""
    write_sample(tmp_path / "other", 3000, seed=2)
    settings = make_settings(finished, *WORSE, "publish.margin=0.01")
    return replace(settings, test=(tmp_path / "other/test.ft.txt.bz2",))


def test_a_model_that_was_tested_on_other_reviews_scores_the_present_ones(with_other_tests: Settings) -> None:
    data_dir = with_other_tests.data_dir
    with pytest.raises(PipelineError) as refused:
        run_here(with_other_tests)
    scored = margin._accuracy(data_dir)
    assert scored != accuracy(data_dir, "model/lineage.json")
    assert f"{100 * scored:.2f}%, on the same 300 reviews" in str(refused.value)


def test_another_vocabulary_leaves_the_test_reviews_the_same(
    finished: Path, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(margin, "_accuracy")
    run_here(make_settings(finished, "vocabulary.min_count=3", "publish.margin=0.9"))
    assert len(models(finished)) == 2


def test_what_cannot_be_compared_says_so(with_other_tests: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    data_dir = with_other_tests.data_dir
    run_here(with_other_tests, STAGES[:-1])
    (data_dir / "shards/test").rename(data_dir / "elsewhere")
    with pytest.raises(PipelineError, match=r"shards/test is missing, .* or to publish without comparing"):
        margin._accuracy(data_dir)


def test_the_accuracy_is_that_of_the_metrics(finished: Path) -> None:
    assert margin._accuracy(finished) == accuracy(finished)
