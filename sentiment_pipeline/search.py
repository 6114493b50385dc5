"""Hyperparameter search: trials train on the packed reviews of a data folder; the best validation accuracy wins.

The study is a database below the data folder, so that a later search continues it. A trial that was killed resumes from
its last checkpoint. The test set is never read. The best settings are written as a TOML file for `--config`.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

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
from sentiment_pipeline.settings import Settings, changed_settings
from sentiment_pipeline.stages import encode, train
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.launch import train_in_processes
from sentiment_pipeline.training.signals import Stopped

__all__ = ["DEFAULT_VARY", "Search", "Searchable"]

Searchable = Literal[
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
DEFAULT_VARY: tuple[Searchable, ...] = ("training.learning_rate", "model.dropout", "model.hidden")
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
_RESUMES = "resumes"  # user attribute of a trial: the number of the killed one that it resumes


class Search:
    """A study of some settings on the prepared reviews of a data folder; continues an earlier one of the same settings.

    Args:
        run: the prepared data folder, and the settings that the trials start from.
        vary: the settings to search over, as `group.name`.

    Attributes:
        study: the Optuna study.
        best_settings: path of the TOML file with the settings of the best trial.

    Raises:
        PipelineError: the folder is not prepared, its packed reviews are damaged, or the database is.
        SettingsError: a setting cannot be searched over.
    """

    def __init__(self, run: Run[Settings], vary: Sequence[str] = DEFAULT_VARY) -> None:
        if unknown := sorted(set(vary) - set(_SPACE)):
            raise SettingsError(f"vary: {unknown[0]} cannot be searched over; there are: {', '.join(_SPACE)}")
        if not run.manifest(encode.pack_name("validation")).facts["reviews"]:
            raise PipelineError(
                f"{run.data_dir} has no validation reviews to judge trials by; prepare more reviews, or raise "
                "split.fraction"
            )
        self._run, self._vary = run, vary
        self.best_settings = run.data_dir / layout.BEST_SETTINGS
        identity = fingerprint({"base": _job_of(run, run.settings, Path()).fingerprint, "vary": sorted(vary)})
        self._folder = run.data_dir / layout.SEARCH / identity[:16]
        self._folder.mkdir(parents=True, exist_ok=True)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        database = self._folder / layout.STUDY
        try:
            self.study = optuna.create_study(
                storage=f"sqlite:///{database}", study_name="search", direction="maximize", load_if_exists=True
            )
            self._resume_killed()
        except (SQLAlchemyError, StorageInternalError) as error:
            raise PipelineError(f"{database} is damaged ({type(error).__name__}); delete it to start over") from error
        # A seed that did not change with the trials would make a continued search draw the same values again.
        self.study.sampler = optuna.samplers.TPESampler(seed=run.settings.training.seed + len(self.study.trials))

    def finished_trials(self) -> int:
        """The number of trials that have ended, not counting those that were killed and resumed."""
        resumed = {trial.user_attrs.get(_RESUMES) for trial in self.study.trials}
        return sum(trial.number not in resumed for trial in self.study.get_trials(states=_ENDED))

    def run_trial(self, on_progress: ProgressCallback) -> FrozenTrial:
        """Run the next trial, and publish the best settings so far.

        Args:
            on_progress: receives the figures of the training.

        Returns:
            The trial: `params` are its settings, `value` is its validation accuracy.

        Raises:
            Stopped: a signal ended the training; the next search resumes the trial.
            PipelineError: the training failed; so did the trial.
        """
        trial = self.study.ask()
        settings = _varied(self._run.settings, {name: _SPACE[name](trial, name) for name in self._vary})
        job = _job_of(self._run, settings, self._folder)
        try:
            value = train_in_processes(job, train.processes_of(settings.execution), on_progress).validation["accuracy"]
        except Stopped:
            raise  # the next search resumes this trial
        except PipelineError:
            self.study.tell(trial, state=TrialState.FAIL)
            raise
        ended = self.study.tell(trial, value)
        shutil.rmtree(job.checkpoints)
        write_text(self.best_settings, _as_toml(self._run.settings, self.study.best_trial))
        return ended

    def _resume_killed(self) -> None:
        """Queue again the trials that were running when an earlier search was killed."""
        for trial in self.study.get_trials(states=(TrialState.RUNNING,)):
            self.study.tell(trial.number, state=TrialState.FAIL)
            self.study.enqueue_trial(trial.params, user_attrs={_RESUMES: trial.number})


def _varied(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """`settings` with other values, given by `group.name`."""
    for setting, value in values.items():
        group, _, name = setting.partition(".")
        settings = replace(settings, **{group: replace(getattr(settings, group), **{name: value})})
    return settings


def _job_of(run: Run[Settings], settings: Settings, folder: Path) -> Job:
    """The training job of the pipeline for these settings, with its checkpoints below `folder`."""
    step = train.training_step(Run(run.data_dir, settings))
    arguments = {name: value for name, value in step.arguments.items() if name != "execution"}
    return train.make_job(run.data_dir, folder, **arguments)


def _as_toml(settings: Settings, trial: FrozenTrial) -> str:
    """The settings of a trial that differ from its preset, as TOML."""
    lines = [f"# Trial {trial.number}: validation accuracy {trial.value}.", f'preset = "{settings.preset}"']
    changed = changed_settings(_varied(settings, trial.params))
    for group, names in groupby(changed, lambda name: name.partition(".")[0]):
        values = (f"{name.partition('.')[2]} = {json.dumps(changed[name])}" for name in names)
        lines += ["", f"[{group}]", *values]
    return "\n".join(lines) + "\n"
