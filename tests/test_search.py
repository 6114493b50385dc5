import shutil
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.engine.step import no_progress
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.search import _SPACE, DEFAULT_VARY, Search, Searchable, _as_toml, _varied
from sentiment_pipeline.settings import GROUPS, Settings, load
from sentiment_pipeline.training.signals import Stopped
from tests.conftest import MakeSettings


class Killed(BaseException):
    """Ends a training as abruptly as an exception can."""


@pytest.fixture(scope="module")
def prepared(trained: Path, make_settings: MakeSettings, tmp_path_factory: pytest.TempPathFactory) -> Run[Settings]:
    data_dir = Path(shutil.copytree(trained, tmp_path_factory.mktemp("search") / "data"))
    return Run(data_dir, make_settings(data_dir))


def test_every_searchable_name_is_a_setting_with_a_distribution() -> None:
    assert set(_SPACE) == set(get_args(Searchable)) > set(DEFAULT_VARY)
    for setting in _SPACE:
        group, _, name = setting.partition(".")
        assert name in {each.name for each in fields(GROUPS[group])}


def test_a_search_is_continued_and_writes_the_best_settings(prepared: Run[Settings]) -> None:
    figures: list[Any] = []
    first = Search(prepared, ["training.learning_rate"]).run_trial(figures.append)
    assert figures
    second = Search(prepared, ["training.learning_rate"])
    assert second.finished_trials() == 1
    other = second.run_trial(figures.append)
    assert other.params != first.params
    assert second.finished_trials() == 2
    best = max((first, other), key=lambda trial: trial.value or 0)
    written = tomllib.loads(second.best_settings.read_text())
    assert written["training"]["learning_rate"] == best.params["training.learning_rate"]
    assert not [*second.best_settings.parent.rglob("*.pt")], "the checkpoints of finished trials are deleted"
    assert Search(prepared, ["model.dropout"]).finished_trials() == 0


@pytest.mark.parametrize(("setting", "end"), [("model.word_dropout", Killed()), ("model.layers", Stopped("stopped"))])
def test_a_killed_or_stopped_trial_is_resumed(prepared: Run[Settings], setting: str, end: BaseException) -> None:
    def interrupt(figures: Any) -> None:
        raise end

    search = Search(prepared, [setting])
    with pytest.raises(type(end)):
        search.run_trial(interrupt)
    lost = search.study.trials[0].params
    again = Search(prepared, [setting])
    assert again.finished_trials() == 0
    assert again.run_trial(no_progress).params == lost
    assert again.finished_trials() == 1


def test_a_failed_trial_is_not_repeated(prepared: Run[Settings]) -> None:
    def fail(figures: Any) -> None:
        raise PipelineError("loss is NaN")

    with pytest.raises(PipelineError, match="loss is NaN"):
        Search(prepared, ["model.embedding_dropout"]).run_trial(fail)
    again = Search(prepared, ["model.embedding_dropout"])
    assert again.finished_trials() == 1
    assert again.run_trial(no_progress).number == 1


def test_what_cannot_be_searched_is_refused(prepared: Run[Settings], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"model\.padding cannot be searched over; there are: model\.dropout"):
        Search(prepared, ["model.padding"])
    with pytest.raises(PipelineError, match="run the stages before"):
        Search(Run(tmp_path, prepared.settings))


def test_a_damaged_database_is_named(prepared: Run[Settings]) -> None:
    search = Search(prepared, ["training.weight_decay"])
    (database,) = [path for path in search.best_settings.parent.rglob("study.db") if path.parent == search._folder]
    database.write_bytes(b"no database" * 1000)
    with pytest.raises(PipelineError, match=r"study\.db is damaged \(DatabaseError\); delete it to start over"):
        Search(prepared, ["training.weight_decay"])


def test_the_settings_file_is_complete(prepared: Run[Settings], tmp_path: Path) -> None:
    trial = Search(prepared, ["model.hidden", "training.batch_size"]).run_trial(no_progress)
    path = tmp_path / "best.toml"
    path.write_text(_as_toml(prepared.settings, trial))
    chosen = replace(_varied(prepared.settings, trial.params), train=(), test=())
    assert load({"data_dir": prepared.data_dir}, path) == chosen
    assert chosen.model.hidden == trial.params["model.hidden"]
