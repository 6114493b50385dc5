"""The published model and the one before it, whenever a process is killed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sentiment_pipeline.engine import files, manifest
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.engine.verify import damage
from sentiment_pipeline.predict import Predictor
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


@pytest.mark.parametrize(
    ("at_once", "moment"), [*((True, moment) for moment in range(3)), *((False, moment) for moment in range(7))]
)
def test_killed_at_any_moment_of_publishing_it_leaves_whole_models(
    at_once: bool, moment: int, finished: Path, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_here(make_settings(finished, AGAIN))
    before, settings = models(finished), make_settings(finished, "training.seed=6")
    with monkeypatch.context() as patched:
        die_before_change(patched, finished, at_once, moment)
        with pytest.raises(Killed):
            run_here(settings)
    if at_once:  # otherwise it may be between two renames
        Predictor(finished / "model")
    restore(finished)
    Predictor(finished / "model")
    assert models(finished) == before
    assert [line for line in damage(finished, STAGES) if line.startswith(("model", "lineage"))] == []
    run_here(settings)
    assert models(finished)["model-before"] == before["model"]
    assert models(finished)["model"] not in before.values()
    assert sorted(path.name for path in finished.glob("model*")) == ["model", "model-before"]
    assert damage(finished, STAGES) == []
    assert run_here(settings) == set()


def die_before_change(monkeypatch: pytest.MonkeyPatch, data_dir: Path, at_once: bool, moment: int) -> None:
    """End the process before one of the renames of model folders, or before the manifest that follows them.

    Args:
        at_once: whether the file system exchanges two folders in one step.
        moment: how many of these are done.
    """
    count = 0

    def dying(work: Callable[..., object], is_meant: Callable[..., bool]) -> Callable[..., object]:
        def act(*arguments: Any) -> object:
            nonlocal count
            count += is_meant(*arguments)
            if count > moment:
                raise Killed
            return work(*arguments)

        return act

    if at_once:
        monkeypatch.setattr(files, "_exchanged_at_once", dying(files._exchanged_at_once, lambda *folders: True))
    else:
        monkeypatch.setattr(files, "_exchanged_at_once", lambda *folders: False)
        monkeypatch.setattr(Path, "rename", dying(Path.rename, lambda path, _: path.parent == data_dir))
    monkeypatch.setattr(manifest, "record", dying(manifest.record, lambda _, step, *others: step == "publish"))


def test_files_of_the_users_stay_in_their_folder(finished: Path, make_settings: MakeSettings) -> None:
    (finished / "model/notes").mkdir()
    (finished / "model/notes/mine.txt").write_text("mine")
    run_here(make_settings(finished, AGAIN))
    assert (finished / "model/notes/mine.txt").read_text() == "mine"
    assert not (finished / "model-before/notes").exists()


def test_a_model_folder_that_is_a_link_is_replaced_by_a_folder(finished: Path, make_settings: MakeSettings) -> None:
    elsewhere = finished.parent / "elsewhere"
    (finished / "model").rename(elsewhere)
    (finished / "model").symlink_to(elsewhere)
    for seed in (5, 6, 7):
        run_here(make_settings(finished, f"training.seed={seed}"))
        Predictor(finished / "model")
        assert damage(finished, STAGES) == []
    assert not any(path.is_symlink() for path in (finished / "model", finished / "model-before"))
