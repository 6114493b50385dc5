"""A search tries settings, remembers what it found, and goes on where it stopped."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import Run, run_stages
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.models.config import ModelConfig
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.search import SPACE, Search, as_toml, varied
from sentiment_pipeline.settings import Choices, load
from sentiment_pipeline.stages.pipeline import PREPARE
from sentiment_pipeline.training.config import TrainingConfig
from tests.conftest import TINY

GROUPS = {"model": ModelConfig, "training": TrainingConfig}


@pytest.fixture(scope="module")
def prepared(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    files = {name: sample / f"{name}.ft.txt.bz2" for name in ("train", "test")}
    data_dir = tmp_path_factory.mktemp("search")
    settings = Choices.model_validate({**files, "data_dir": data_dir, **tomllib.loads(TINY)}).resolve()
    run = Run(data_dir, settings)
    with ProcessExecutor(1) as executor:
        run_stages(run, PREPARE, executor, PlainObserver(print))
    return run


def test_every_setting_of_the_space_is_a_setting() -> None:
    for place in SPACE:
        group, _, name = place.partition(".")
        assert name in GROUPS[group].__dataclass_fields__


def test_a_search_goes_on_and_writes_what_is_best(prepared: Run) -> None:
    heard: list[Any] = []
    first = Search(prepared, ["training.learning_rate"]).try_next(heard.append)
    assert heard
    second = Search(prepared, ["training.learning_rate"])
    assert second.done() == 1
    other = second.try_next(heard.append)
    assert other.params != first.params
    assert second.done() == 2
    best = max((first, other), key=lambda trial: trial.value or 0)
    assert tomllib.loads(second.best.read_text())["training"]["learning_rate"] == best.params["training.learning_rate"]
    assert not [*second.folder.rglob("*.pt")]
    assert Search(prepared, ["model.dropout"]).done() == 0


def test_a_killed_trial_is_taken_up_from_its_checkpoint(prepared: Run) -> None:
    class Killed(BaseException):
        pass

    def kill(figures: Any) -> None:
        raise Killed

    search = Search(prepared, ["model.word_dropout"])
    with pytest.raises(Killed):
        search.try_next(kill)
    lost = search.study.trials[0].params
    again = Search(prepared, ["model.word_dropout"])
    assert again.done() == 0
    assert again.try_next(print).params == lost
    assert again.done() == 1


def test_what_cannot_be_searched_is_refused(prepared: Run, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"model\.padding"):
        Search(prepared, ["model.padding"])
    with pytest.raises(PipelineError, match="run the stages before"):
        Search(Run(tmp_path, prepared.settings))


def test_its_settings_file_says_all_that_the_trial_was(prepared: Run, tmp_path: Path) -> None:
    search = Search(prepared, ["model.pooling"])
    trial = search.try_next(print)
    path = tmp_path / "best.toml"
    path.write_text(as_toml(prepared.settings, trial))
    assert load({"data_dir": prepared.data_dir}, path) == replace(
        varied(prepared.settings, trial.params), train=None, test=None
    )
