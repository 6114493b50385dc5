"""Every setting has an effect: a step depends on it, or this machine works differently.

`EFFECTS` names where each setting that no step depends on acts; a new setting that is in neither fails here.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import torch

from sentiment_pipeline.data import loader
from sentiment_pipeline.engine.executor import ProcessExecutor, ThreadExecutor, executor_for
from sentiment_pipeline.engine.stage import Run, planned_states
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.models.precision import choose_device
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.settings import GROUPS, Settings
from sentiment_pipeline.settings.model import _refuse_without_effect
from sentiment_pipeline.settings.preset import preset
from sentiment_pipeline.settings.publish import PublishConfig
from sentiment_pipeline.stages.pipeline import PREPARE, STAGES, run_in_folder
from sentiment_pipeline.stages.train import processes_of
from sentiment_pipeline.training.train import train
from tests.conftest import MakeSettings
from tests.folders import run_here
from tests.training.examples import make_job, model_config, runtime_config, training_config

DEPENDED_ON = ("input", "ingest", "cleaning", "quality", "split", "vocabulary", "model", "training")
INTERPLAY = {  # settings that act only beside another one
    "split.seed": {"split.validation": "train"},
    "ingest.max_rejected_fraction": {},
    "vocabulary.source": None,  # may name a folder; tests/stages/test_growth.py
    "training.start_from": None,  # names a folder; tests/stages/test_start.py
    "training.vectors": None,  # names a file; tests/training/test_word_vectors.py
}


def other_value(config: type, name: str, value: Any) -> Any:
    """Another allowed value of a setting."""
    hint = get_type_hints(config)[name]
    if choices := get_args(hint):
        return next(choice for choice in choices if choice != value)
    if hint is bool:
        return not value
    if hint is str:
        return "1/2"  # what `input.labels` takes; any text will do for the others
    metadata = next(each.metadata for each in fields(config) if each.name == name)
    lowest = metadata.get("ge", metadata.get("gt", 0))
    return value / 2 if hint is float and value > lowest else value + 1 if hint is int else lowest + 0.25


SETTINGS_OF_STEPS = [
    (group, each.name)
    for group in DEPENDED_ON
    for each in fields(GROUPS[group])
    if INTERPLAY.get(f"{group}.{each.name}", {}) is not None
]


@pytest.mark.parametrize(("group", "name"), SETTINGS_OF_STEPS, ids=lambda each: str(each))
def test_a_changed_value_makes_a_step_stale(group: str, name: str, trained: Path, make_settings: MakeSettings) -> None:
    settings = make_settings(trained)
    config = getattr(settings, group)
    changed = replace(config, **{name: other_value(type(config), name, getattr(config, name))})
    run = Run(trained, replace(settings, **{group: changed}))
    states = [state for _, steps in planned_states(run, STAGES) for _, state in steps]
    assert not all(state.finished for state in states), f"{group}.{name} changes nothing"


def test_the_runner_decides_what_executes_steps(sample: Path, make_settings: MakeSettings, tmp_path: Path) -> None:
    assert isinstance(executor_for("threads", 2), ThreadExecutor)
    assert isinstance(executor_for("processes", 2), ProcessExecutor)
    dask = make_settings(tmp_path / "dask", "execution.runner=dask", "execution.dask_address=tcp://127.0.0.1:9")
    with pytest.raises(SettingsError, match="only the Prefect flows use"):
        run_in_folder(PREPARE, dask, PlainObserver(print))


def test_the_number_of_workers_is_that_of_the_pool() -> None:
    executor = ProcessExecutor(3)
    with executor:
        assert executor._pool.workers == 3


def test_processes_and_machines_are_those_of_torchrun(make_settings: MakeSettings, tmp_path: Path) -> None:
    command = processes_of(
        make_settings(
            tmp_path,
            "execution.training_processes=3",
            "execution.training_nodes=2",
            "execution.training_rendezvous=10.0.0.5:29500",
        ).execution
    ).command(tmp_path)
    for words in ("--nproc-per-node=3", "--nnodes=2", "--rdzv-endpoint=10.0.0.5:29500"):
        assert words in " ".join(command)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_the_device_is_the_one_asked_for() -> None:
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    with pytest.raises(SettingsError, match=r"runtime\.device is cuda"):
        choose_device("cuda")


def steps_written(tmp_path: Path, **runtime: Any) -> tuple[list[int], set[int], bool]:
    """The steps with figures and with checkpoints of a training of 30 steps; whether TensorBoard has files."""
    figures: list[Any] = []
    job = make_job(tmp_path, model_config(), training_config(), runtime_config(**runtime))
    train(job, figures.append)
    saved = {int(path.stem.removeprefix("step-")) for path in job.checkpoints.glob("step-*.json")}
    return [each["step"] for each in figures if "loss" in each], saved, any(job.history.parent.rglob("events*"))


def test_figures_checkpoints_and_tensorboard_come_as_the_settings_say(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    assert steps_written(tmp_path / "one", log_every=10, checkpoint_every=7, tensorboard=True) == (
        [10, 20, 30],
        {28, 30},
        True,
    )
    assert steps_written(tmp_path / "other", log_every=15, checkpoint_every=0) == ([15, 30], {20, 30}, False)


def test_loader_processes_are_as_many_as_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Recorded(loader.DataLoader):  # type: ignore[type-arg]
        def __init__(self, stream: Any, *, num_workers: int, **options: Any) -> None:
            asked.append(num_workers)
            super().__init__(stream, num_workers=0, **{**options, "multiprocessing_context": None})

    monkeypatch.setattr(loader, "DataLoader", Recorded)
    steps_written(tmp_path, loader_workers=3)
    assert asked == [3]


def test_the_margin_decides_whether_a_worse_model_is_published(
    trained: Path, copy: Callable[[Path], Path], make_settings: MakeSettings
) -> None:
    worse = make_settings(copy(trained), "model.linear_length=0", "training.learning_rate=1e-9", "publish.margin=0.05")
    with pytest.raises(PipelineError, match=r"publish\.margin allows 5\.00"):
        run_here(worse)
    assert run_here(replace(worse, publish=PublishConfig(margin=1.0))) == {"publish"}


EFFECTS: dict[str, Callable[..., object]] = {
    "publish.margin": test_the_margin_decides_whether_a_worse_model_is_published,
    "execution.runner": test_the_runner_decides_what_executes_steps,
    "execution.workers": test_the_number_of_workers_is_that_of_the_pool,
    "execution.dask_address": test_the_runner_decides_what_executes_steps,
    "execution.training_processes": test_processes_and_machines_are_those_of_torchrun,
    "execution.training_nodes": test_processes_and_machines_are_those_of_torchrun,
    "execution.training_rendezvous": test_processes_and_machines_are_those_of_torchrun,
    "runtime.device": test_the_device_is_the_one_asked_for,
    "runtime.loader_workers": test_loader_processes_are_as_many_as_asked_for,
    "runtime.checkpoint_every": test_figures_checkpoints_and_tensorboard_come_as_the_settings_say,
    "runtime.log_every": test_figures_checkpoints_and_tensorboard_come_as_the_settings_say,
    "runtime.tensorboard": test_figures_checkpoints_and_tensorboard_come_as_the_settings_say,
}


def test_no_setting_is_left_out() -> None:
    names = {f"{group}.{each.name}" for group in GROUPS if group not in DEPENDED_ON for each in fields(GROUPS[group])}
    assert names == set(EFFECTS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"tail": 500}}, r"model\.tail is 500, which has no effect"),
        ({"model": {"linear_length": 5000, "ngrams": 0}}, r"model\.linear_length is 5000, which has no effect"),
        ({"execution": {"dask_address": "tcp://a:1"}}, r"execution\.dask_address is 'tcp://a:1', which has no effect"),
        ({"execution": {"training_rendezvous": "a:1"}}, r"execution\.training_rendezvous is 'a:1', which has no"),
    ],
)
def test_a_value_without_effect_is_refused(
    changes: dict[str, dict[str, Any]], message: str, make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings: Settings = make_settings(tmp_path)
    for group, values in changes.items():
        settings = replace(settings, **{group: replace(getattr(settings, group), **values)})
    with pytest.raises(SettingsError, match=message):
        _refuse_without_effect(settings, preset("quick"))
