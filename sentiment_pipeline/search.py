"""Search for better settings: trainings on the packed reviews of a data folder, chosen by their validation accuracy.

The study lies in a database below the data folder, so that a search goes on where it stopped, with as many further
trials as are wanted; a trial that was killed is taken up from its last checkpoint. The test set is not read. What is
found best is written as a settings file for the pipeline.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, get_args

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.manifest import fingerprint
from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.engine.step import ProgressCallback
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.settings import Settings, preset
from sentiment_pipeline.stages import train
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.launch import train_in_processes

__all__ = ["USUAL", "Search", "Varied"]

Varied = Literal[
    "model.dropout",
    "model.embedding",
    "model.embedding_dropout",
    "model.hidden",
    "model.layers",
    "model.word_dropout",
    "training.batch_size",
    "training.label_smoothing",
    "training.learning_rate",
    "training.weight_decay",
]
_SPACE: Mapping[str, Callable[[optuna.Trial, str], Any]] = {
    "model.dropout": lambda trial, name: trial.suggest_float(name, 0.0, 0.7),
    "model.embedding": lambda trial, name: trial.suggest_categorical(name, (64, 128, 256, 400)),
    "model.embedding_dropout": lambda trial, name: trial.suggest_float(name, 0.0, 0.5),
    "model.hidden": lambda trial, name: trial.suggest_categorical(name, (64, 128, 256, 512)),
    "model.layers": lambda trial, name: trial.suggest_int(name, 1, 3),
    "model.word_dropout": lambda trial, name: trial.suggest_float(name, 0.0, 0.3),
    "training.batch_size": lambda trial, name: trial.suggest_categorical(name, (32, 64, 128, 256)),
    "training.label_smoothing": lambda trial, name: trial.suggest_float(name, 0.0, 0.2),
    "training.learning_rate": lambda trial, name: trial.suggest_float(name, 1e-4, 2e-2, log=True),
    "training.weight_decay": lambda trial, name: trial.suggest_float(name, 1e-6, 1e-1, log=True),
}
assert set(_SPACE) == set(get_args(Varied))
USUAL: tuple[Varied, ...] = ("training.learning_rate", "model.dropout", "model.hidden")
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class Search:
    """A study of some settings over the prepared reviews of one data folder.

    Args:
        run: of a data folder that has been prepared; its settings are what the trials vary.
        vary: names of settings in `_SPACE`.

    Raises:
        PipelineError: the folder is not prepared, or its packed reviews are damaged.
        SettingsError: a setting cannot be varied.
    """

    def __init__(self, run: Run[Settings], vary: Sequence[str] = USUAL) -> None:
        if unknown := sorted(set(vary) - set(_SPACE)):
            raise SettingsError(f"vary: {unknown[0]} cannot be searched for; there are: {', '.join(_SPACE)}")
        self.run, self.vary = run, vary
        identity = fingerprint({"base": _job_of(run, run.settings, Path()).fingerprint, "vary": sorted(vary)})
        self.folder = run.data_dir / layout.SEARCH / identity[:16]
        self.folder.mkdir(parents=True, exist_ok=True)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        database = self.folder / layout.STUDY
        try:
            self.study = optuna.create_study(
                storage=f"sqlite:///{database}", study_name="search", direction="maximize", load_if_exists=True
            )
            self._resume_killed()
        except (SQLAlchemyError, StorageInternalError) as error:
            raise PipelineError(f"{database} is damaged ({type(error).__name__}); delete it to search anew") from error
        # The seed moves on with the trials, or a search that goes on would draw the same values again.
        self.study.sampler = optuna.samplers.TPESampler(seed=run.settings.training.seed + len(self.study.trials))

    def _resume_killed(self) -> None:
        """Queue the trials again that a killed search was at."""
        for trial in self.study.get_trials(states=(TrialState.RUNNING,)):
            self.study.tell(trial.number, state=TrialState.FAIL)
            self.study.enqueue_trial(trial.params, user_attrs={"goes on": trial.number})

    def finished_trials(self) -> int:
        """How many trials have ended by themselves."""
        taken_up = {trial.user_attrs.get("goes on") for trial in self.study.trials}
        return sum(trial.number not in taken_up for trial in self.study.get_trials(states=_ENDED))

    def try_next(self, on_progress: ProgressCallback) -> FrozenTrial:
        """Train once; the trial with its settings (`params`) and its validation accuracy (`value`).

        Args:
            on_progress: called with the figures of the training.

        Raises:
            PipelineError: as training does.
        """
        trial = self.study.ask()
        settings = _varied(self.run.settings, {name: _SPACE[name](trial, name) for name in self.vary})
        job = _job_of(self.run, settings, self.folder)
        try:
            value = train_in_processes(job, train.processes_of(settings.execution), on_progress).validation["accuracy"]
        except PipelineError:
            self.study.tell(trial, state=TrialState.FAIL)
            raise
        ended = self.study.tell(trial, value)
        shutil.rmtree(job.checkpoints)
        self._write_best()
        return ended

    def _write_best(self) -> None:
        """Publish the best settings so far, for `--config`."""
        with suppress(ValueError):  # no trial has ended yet
            best = self.study.best_trial
            write_text(self.best, _as_toml(self.run.settings, best))

    @property
    def best(self) -> Path:
        """The settings file of the best trial."""
        return self.run.data_dir / layout.BEST_SETTINGS


def _varied(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """`settings` with other values for some `group.name`."""
    for setting, value in values.items():
        group, _, name = setting.partition(".")
        settings = replace(settings, **{group: replace(getattr(settings, group), **{name: value})})
    return settings


def _job_of(run: Run[Settings], settings: Settings, folder: Path) -> Job:
    """The training that the pipeline would do with these settings, with its checkpoints below `folder`."""
    step = train.training_step(Run(run.data_dir, settings))
    arguments = {name: value for name, value in step.arguments.items() if name != "processes"}
    return train.make_job(run.data_dir, folder, **arguments)


def _as_toml(settings: Settings, trial: FrozenTrial) -> str:
    """The settings of a trial as `--config` reads them: all that its preset does not say."""
    lines = [f"# Trial {trial.number}: validation accuracy {trial.value}.", f'preset = "{settings.preset}"']
    for group, before in preset(settings.preset).items():
        values = asdict(getattr(_varied(settings, trial.params), group))
        changed = {name: value for name, value in values.items() if value != before[name]}
        if changed:
            lines += ["", f"[{group}]", *(f"{name} = {json.dumps(value)}" for name, value in changed.items())]
    return "\n".join(lines) + "\n"
