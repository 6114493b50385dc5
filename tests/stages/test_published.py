"""The published model and the one before it, whenever a process is killed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sentiment_pipeline.engine import files
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.engine.verify import damage
from sentiment_pipeline.stages import published
from sentiment_pipeline.stages.pipeline import STAGES
from sentiment_pipeline.stages.published import restore
from tests.conftest import MakeSettings
from tests.folders import run_here

AGAIN = "training.seed=5"


class Killed(Exception):
    """Stands for the death of the process: nothing of the code under test catches it."""


def models(data_dir: Path) -> dict[str, str]:
    """The weights in each model folder."""
    return {path.parent.name: sha256(path) for path in data_dir.glob("model*/model.safetensors")}


def test_the_model_before_is_kept_beside_the_published_one(finished: Path, make_settings: MakeSettings) -> None:
    first = models(finished)["model"]
    assert models(finished) == {"model": first}
    run_here(make_settings(finished, AGAIN))
    second = models(finished)["model"]
    assert models(finished) == {"model": second, "model-before": first}
    assert first != second
    assert damage(finished, STAGES) == []
    assert run_here(make_settings(finished, AGAIN)) == set()
    run_here(make_settings(finished, "training.seed=6"))
    assert models(finished)["model-before"] == second
    assert len(models(finished)) == 2
    assert damage(finished, STAGES) == []


def test_the_same_model_published_again_does_not_replace_the_one_before(
    finished: Path, make_settings: MakeSettings
) -> None:
    run_here(make_settings(finished, AGAIN))
    before = models(finished)
    (finished / "metrics.json").unlink()
    assert "evaluate" in run_here(make_settings(finished, AGAIN))
    (finished / "model/README.md").unlink()
    assert run_here(make_settings(finished, AGAIN)) == {"publish"}
    assert models(finished) == before
    assert damage(finished, STAGES) == []


def test_a_damaged_model_before_is_named_and_deleted(finished: Path, make_settings: MakeSettings) -> None:
    run_here(make_settings(finished, AGAIN))
    (finished / "model-before/config.json").write_text("{}")
    assert [line.split(":")[0] for line in damage(finished, STAGES)] == ["model-before/config.json"]
    assert run_here(make_settings(finished, AGAIN)) == {"publish"}
    assert not (finished / "model-before").exists()
    assert damage(finished, STAGES) == []


@pytest.fixture(params=["at once", "in three renames"])
def exchanging(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """File systems that exchange two folders in one step, and those that cannot."""
    if request.param != "at once":
        monkeypatch.setattr(files, "_exchanged_at_once", lambda first, second: False)
    yield request.param


@pytest.mark.parametrize("moment", range(8))
def test_killed_at_any_moment_of_publishing_it_leaves_a_whole_model(
    moment: int,
    exchanging: str,
    finished: Path,
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_here(make_settings(finished, AGAIN))
    before = models(finished)
    settings = make_settings(finished, "training.seed=6")
    killed = False
    with monkeypatch.context() as patched:
        die_before_rename(patched, finished, moment)
        try:
            run_here(settings)
        except Killed:
            killed = True
    assert killed or moment >= 2
    if exchanging == "at once":
        assert len(json.loads((finished / "model/config.json").read_text())["weights_sha256"]) == 64
        assert models(finished)["model"]
    restore(finished)
    if killed:
        assert models(finished)["model"] == before["model"]
        assert damage(finished, STAGES[:-1]) == [] or models(finished)["model-before"] == before["model-before"]
    run_here(settings)
    assert models(finished)["model-before"] == before["model"]
    assert models(finished)["model"] not in before.values()
    assert sorted(path.name for path in finished.glob("model*")) == ["model", "model-before"]
    assert damage(finished, STAGES) == []
    assert run_here(settings) == set()


def die_before_rename(monkeypatch: pytest.MonkeyPatch, data_dir: Path, moment: int) -> None:
    """End the process before a rename of a model folder, or of the manifest after it."""
    count = 0

    def dying(before: Callable[..., object]) -> Callable[..., object]:
        def act(*arguments: Path) -> object:
            nonlocal count
            if any(path.parent == data_dir and path.name.startswith("model") for path in arguments[:2]):
                count += 1
                if count == moment + 1:
                    raise Killed
            return before(*arguments)

        return act

    monkeypatch.setattr(Path, "rename", dying(Path.rename))
    monkeypatch.setattr(files, "_exchanged_at_once", dying(files._exchanged_at_once))
    monkeypatch.setattr(published, "write_lineage", dying(lambda data_dir: published.write_lineage(data_dir)))


def test_files_of_the_users_stay_in_their_folder(finished: Path, make_settings: MakeSettings) -> None:
    (finished / "model/notes").mkdir()
    (finished / "model/notes/mine.txt").write_text("mine")
    run_here(make_settings(finished, AGAIN))
    assert (finished / "model/notes/mine.txt").read_text() == "mine"
    assert not (finished / "model-before/notes").exists()
